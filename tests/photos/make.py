#!/usr/bin/env python3
"""Draws the test photos and writes index.jsonl beside them.

    python3 tests/photos/make.py [--photos ../shared/data/grocery_photos]

Needs Pillow and numpy (audio_fixtures/requirements.txt). Every picture has a fixed seed; another version of Pillow may encode the same
pixels into other bytes, which is why the tests compare pixels and answers, never checksums of drawn files.

The tracked photos are drawn, so that a fresh clone can be tested without anybody's data set. Where the Grocery Store Dataset is at hand,
some of its photos (MIT) are put into grocery/, with an index of their own.
"""
import argparse
import csv
import hashlib
import json
import pathlib
import shutil
import struct
import zlib

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

HERE = pathlib.Path(__file__).resolve().parent
SIDE = 288          # the short side of the data set's photos, so that drawn and real ones meet the same code paths
DRAWN = {"licence": "MIT", "source": "drawn by tests/photos/make.py"}
DATASET = {"licence": "MIT, Copyright (c) 2019 Marcus Klasson", "source": "Grocery Store Dataset (Klasson et al. 2019)"}

# From the data set, by list and path. The first two are the ones that the classifier's fixture gives expected logits for.
PHOTOS = [
    "val/Fruit/Apple/Granny-Smith/Granny-Smith_001.jpg",
    "val/Packages/Milk/Arla-Standard-Milk/Arla-Standard-Milk_001.jpg",
    "val/Fruit/Banana/Banana_005.jpg",
    "val/Fruit/Orange/Orange_001.jpg",
    "val/Fruit/Avocado/Avocado_004.jpg",
    "val/Fruit/Lemon/Lemon_005.jpg",
    "val/Vegetables/Brown-Cap-Mushroom/Brown-Cap-Mushroom_003.jpg",
    "val/Vegetables/Tomato/Vine-Tomato/Vine-Tomato_004.jpg",
    "val/Vegetables/Carrots/Carrots_002.jpg",
    "val/Packages/Juice/God-Morgon-Orange-Juice/God-Morgon-Orange-Juice_002.jpg",
    "val/Packages/Juice/Bravo-Orange-Juice/Bravo-Orange-Juice_002.jpg",
    "val/Packages/Oat-Milk/Oatly-Oat-Milk/Oatly-Oat-Milk_004.jpg",
    "train/Packages/Yoghurt/Arla-Natural-Yoghurt/Arla-Natural-Yoghurt_010.jpg",
    "train/Packages/Yoghurt/Arla-Natural-Mild-Low-Fat-Yoghurt/Arla-Natural-Mild-Low-Fat-Yoghurt_009.jpg",
]


# --- a crate of fruit -------------------------------------------------------------------------------------------------------------------

def smooth_noise(rng, side, octaves):
    total = np.zeros((side, side))
    for cells, weight in octaves:
        grid = Image.fromarray(rng.random((cells, cells)).astype(np.float32))
        total += weight * (np.asarray(grid.resize((side, side), Image.BICUBIC)) - 0.5)
    return total


def crate(seed, skin, blush, radius, stretch, gloss):
    """A heap of shaded ellipsoids, lit from the upper left. Enough of a likeness for the classifier to name green apples, no more."""
    rng = np.random.default_rng(seed)
    side, fruit = SIDE * 2, radius * 2                     # drawn at twice the size, so that edges come out smooth
    picture = np.zeros((side, side, 3)) + (14, 13, 12)
    rows, columns = np.mgrid[0:side, 0:side]
    blotches = smooth_noise(rng, side, ((4, 1.0), (9, 0.6), (24, 0.35), (72, 0.2)))
    pores = smooth_noise(rng, side, ((140, 0.6), (260, 0.6)))
    light = np.array((-0.45, -0.6, 0.66)) / np.linalg.norm((-0.45, -0.6, 0.66))
    halfway = (light + (0, 0, 1)) / np.linalg.norm(light + (0, 0, 1))
    step = fruit * 1.55
    places = [
        (column + rng.normal(0, fruit * 0.28) + layer * step * 0.5, row + rng.normal(0, fruit * 0.28) + layer * step * 0.37)
        for layer in range(3)
        for row in np.arange(-step, side + step, step)
        for column in np.arange(-step, side + step, step)
    ]
    for at_x, at_y in places:
        r, turn, longer = fruit * rng.uniform(0.9, 1.08), rng.uniform(0, np.pi), stretch * rng.uniform(0.95, 1.05)
        x0, x1 = int(max(at_x - r * 1.7, 0)), int(min(at_x + r * 1.7, side))
        y0, y1 = int(max(at_y - r * 1.7, 0)), int(min(at_y + r * 1.7, side))
        if x1 <= x0 or y1 <= y0:
            continue
        x, y = (columns[y0:y1, x0:x1] - at_x) / r, (rows[y0:y1, x0:x1] - at_y) / r
        u, v = (x * np.cos(turn) + y * np.sin(turn)) / longer, -x * np.sin(turn) + y * np.cos(turn)
        distance = u * u + v * v
        depth = np.sqrt(np.clip(1 - distance, 0, 1))
        blotch, pore = blotches[y0:y1, x0:x1], pores[y0:y1, x0:x1]
        normal = np.stack([
            u * np.cos(turn) / longer - v * np.sin(turn) + 0.03 * pore,
            u * np.sin(turn) / longer + v * np.cos(turn) + 0.03 * np.roll(pore, 3, 0),
            depth + 0.05,
        ])
        normal /= np.linalg.norm(normal, axis=0)
        lit = np.clip(np.tensordot(light, normal, 1), 0, 1)
        shine = np.clip(np.tensordot(halfway, normal, 1), 0, 1) ** 45 * gloss
        mix = np.clip(0.5 + blotch * 0.9 + rng.normal(0, 0.18), 0, 1)[..., None]
        colour = (np.array(skin) * (1 - mix) + np.array(blush) * mix) * rng.uniform(0.9, 1.08) * (1 + 0.1 * pore[..., None])
        colour = colour * (0.28 + 0.85 * lit)[..., None] * (0.55 + 0.45 * depth)[..., None] + 255 * shine[..., None]
        off_u, off_v, angle = rng.uniform(-0.45, 0.45), rng.uniform(-0.45, 0.45), rng.uniform(0, 2 * np.pi)
        colour = stem(colour, u - off_u, v - off_v, angle)
        under = picture[y0:y1, x0:x1]
        shadow = 1 - 0.5 * np.clip(1.9 - np.hypot(x - 0.15, y - 0.2) * 1.25, 0, 1)[..., None]
        edge = np.clip((1 - np.sqrt(distance)) * r / 1.5, 0, 1)[..., None]
        picture[y0:y1, x0:x1] = under * shadow * (1 - edge) + colour * edge
    small = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).resize((SIDE, SIDE), Image.LANCZOS)
    grain = np.asarray(small) + rng.normal(0, 3, (SIDE, SIDE, 3))
    return Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8))


def stem(colour, u, v, angle):
    hollow = np.exp(-(u * u + v * v) / 0.03)[..., None]
    along, across = u * np.cos(angle) + v * np.sin(angle), -u * np.sin(angle) + v * np.cos(angle)
    stalk = ((along > 0) & (along < 0.38) & (abs(across) < 0.045))[..., None]
    return np.where(stalk, (92, 66, 38), colour * (1 - 0.65 * hollow) + np.array((70, 60, 25)) * 0.35 * hollow)


# --- pictures of nothing that is on sale ------------------------------------------------------------------------------------------------

def face():
    picture = Image.new("RGB", (SIDE, SIDE), (176, 198, 214))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((84, 220, 204, 288), fill=(60, 78, 120))
    pen.ellipse((64, 34, 224, 250), fill=(226, 184, 150), outline=(120, 84, 62), width=3)
    pen.pieslice((58, 22, 230, 170), 180, 360, fill=(70, 46, 30))
    for x in (110, 178):
        pen.ellipse((x - 17, 122, x + 17, 146), fill="white", outline=(90, 60, 50))
        pen.ellipse((x - 7, 126, x + 7, 142), fill=(40, 60, 40))
    pen.line((144, 140, 136, 184, 150, 186), fill=(150, 104, 82), width=4)
    pen.arc((108, 172, 182, 222), 20, 160, fill=(150, 50, 50), width=6)
    return picture.filter(ImageFilter.GaussianBlur(1))


def checkerboard():
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] // 24
    return Image.fromarray((((rows + columns) % 2) * 255).astype(np.uint8)).convert("RGB")


def page():
    picture = Image.new("RGB", (SIDE, 384), (250, 249, 244))
    pen, words = ImageDraw.Draw(picture), ImageFont.load_default(14)
    pen.text((24, 20), "House rules", font=ImageFont.load_default(24), fill=(20, 20, 20))
    lines = ["Please keep the corridor clear.", "Bicycles go into the yard.", "The laundry is open from eight", "to eight, except on Sundays.",
             "Lost keys: ask the caretaker.", "No ball games after nine.", "Windows on the stairs stay shut", "when it rains or blows.",
             "Guests may park for two hours.", "Thank you."]
    for number, line in enumerate(lines):
        pen.text((24, 66 + 28 * number), line, font=words, fill=(40, 40, 40))
    return picture


def gradient():
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1)
    return Image.fromarray((np.stack([rows, columns, 1 - rows], 2) * 255).astype(np.uint8))


def house_and_bicycle():
    picture = Image.new("RGB", (384, SIDE), (150, 200, 236))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 214, 384, SIDE), fill=(126, 126, 128))
    pen.rectangle((40, 92, 210, 220), fill=(198, 150, 118))
    pen.polygon((26, 94, 125, 24, 224, 94), fill=(116, 54, 44))
    pen.rectangle((108, 150, 146, 220), fill=(74, 50, 40))
    for x in (58, 160):
        pen.rectangle((x, 116, x + 36, 148), fill=(214, 232, 244), outline="white", width=3)
    for x in (252, 340):
        pen.ellipse((x - 34, 196, x + 34, 264), outline=(20, 20, 20), width=4)
    pen.line((252, 230, 276, 184, 322, 184, 340, 230), fill=(30, 60, 160), width=4)
    pen.line((252, 230, 294, 232, 322, 184), fill=(30, 60, 160), width=4)
    pen.line((294, 232, 272, 176), fill=(30, 60, 160), width=4)
    pen.line((262, 174, 284, 174), fill=(20, 20, 20), width=6)
    pen.line((322, 184, 318, 166, 336, 164), fill=(20, 20, 20), width=4)
    return picture


def static():
    return Image.fromarray(np.random.default_rng(11).integers(0, 256, (160, 160, 3), dtype=np.uint8))


# --- files that must be refused ---------------------------------------------------------------------------------------------------------

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_zeros(side, rows_stored):
    """One bit a pixel: the least that a row can cost. Deflate packs zeros 1,032 to 1, so few bytes ask for a lot of memory."""
    squeeze = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    data = b"".join(squeeze.compress(row) for _ in range(rows_stored)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def bad_files(jpeg):
    scan = jpeg.index(b"\xff\xda")
    scan += 2 + struct.unpack(">H", jpeg[scan + 2:scan + 4])[0]
    # 0xFF bytes would read as markers; without them the garbage is taken for picture data, which is the nastier case.
    garbage = np.random.default_rng(5).integers(0, 255, 4000, dtype=np.uint8).tobytes()
    return [
        ("empty.jpg", b"", "refuse", "0 bytes"),
        ("truncated.jpg", jpeg[:len(jpeg) // 2], "refuse_or_partial", "first half of a good JPEG; a lenient decoder fills the rest with grey"),
        ("text.jpg", b"This is a shopping list, not a photo: apples, oat milk, bread.\n", "refuse", "plain text under the name .jpg"),
        ("garbage.jpg", jpeg[:scan] + garbage, "refuse_or_partial", "good JPEG header, random bytes in place of the picture"),
        ("bomb.png", png_of_zeros(25_000, 25_000), "refuse", "valid PNG of 25,000 x 25,000 pixels in under 100 kB: 1.9 GB as RGB"),
        ("bomb-header.png", png_of_zeros(50_000, 8), "refuse", "declares 50,000 x 50,000 pixels (7.5 GB as RGB) and stores 8 rows"),
    ]


# --- writing ----------------------------------------------------------------------------------------------------------------------------

def saved(folder, name, picture, **how):
    """Saves without metadata but what is asked for. JPEG 4:2:0 at 85 keeps a photo near 30 kB."""
    if name.endswith(".jpg"):
        how = {"quality": 85} | how
    picture.save(folder / name, **how)


def write_index(folder, entries):
    for entry in entries:
        data = (folder / entry["file"]).read_bytes()
        entry["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "index.jsonl").write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries))
    size = sum((folder / entry["file"]).stat().st_size for entry in entries)
    print(f"{folder}: {len(entries)} files, {size / 1e6:.2f} MB")


def worsened(picture):
    """What goes wrong at a counter: no light, a shaky hand, the lamp in the picture."""
    yield "very_dark", ImageEnhance.Brightness(picture).enhance(0.08)
    yield "blurred", picture.filter(ImageFilter.GaussianBlur(5))
    yield "overexposed", ImageEnhance.Brightness(picture).enhance(3.2)


def draw():
    apples = crate(3, (132, 172, 48), (160, 196, 80), 44, 1.04, 0.6)
    entries = []

    def add(name, picture, condition, known=None, **how):
        saved(HERE, name, picture, **how)
        entries.append({"file": name, "class": known and known[0], "class_id": known and known[1], "condition": condition, **DRAWN})

    apple = ("Granny-Smith", 1)      # name and class_id as the data set gives them
    add("apples.jpg", apples, "plain", apple)
    add("apples-progressive.jpg", apples, "progressive", apple, progressive=True)
    for condition, picture in worsened(apples):
        add(f"apples-{condition.replace('_', '-')}.jpg", picture, condition, apple)
    add("apples.png", apples.resize((192, 192), Image.LANCZOS), "png", apple, optimize=True)
    add("apples.webp", apples, "webp", apple, quality=80)
    # Orientation 6: the viewer turns the stored pixels 90 degrees clockwise. They are stored turned the other way, so the result is upright.
    exif = Image.Exif()
    exif[0x0112] = 6
    add("apples-exif-orientation-6.jpg", apples.transpose(Image.ROTATE_90), "exif_orientation_6", apple, exif=exif.tobytes(), quality=92)
    grey = apples.resize((128, 128), Image.LANCZOS).convert("L")
    add("apples-grey-alpha.png", Image.merge("LA", (grey, Image.linear_gradient("L").resize(grey.size))), "grey_alpha")
    add("apples-sixteen-bit.png", Image.fromarray(np.asarray(grey, np.uint16) * 257), "sixteen_bit_grey")
    add("one-pixel.png", Image.new("RGB", (1, 1), (200, 100, 50)), "one_pixel")
    for name, picture in (("face", face()), ("checkerboard", checkerboard()), ("page", page()), ("gradient", gradient()),
                          ("house-and-bicycle", house_and_bicycle()), ("static", static())):
        add(f"unknown-{name}.jpg", picture, "unknown")
    write_index(HERE, entries)

    bad = HERE / "bad"
    bad.mkdir(exist_ok=True)
    listed = bad_files((HERE / "apples.jpg").read_bytes())
    for name, data, _, _ in listed:
        (bad / name).write_bytes(data)
    saved(bad, "unsupported.gif", apples.resize((64, 64)).quantize(32))
    listed.append(("unsupported.gif", None, "refuse", "a good GIF, a format that is not read here"))
    write_index(bad, [{"file": name, "expect": expect, "why": why} for name, _, expect, why in listed])


def copy_photos(source):
    grocery = HERE / "grocery"
    if not (source / "classes.csv").exists():
        print(f"{source}: no data set there, {grocery} is left as it is")
        return
    grocery.mkdir(exist_ok=True)
    shutil.copyfile(source / "LICENSE", grocery / "LICENSE")
    class_of = {row["class_id"]: row["class"] for row in csv.DictReader(open(source / "classes.csv"))}
    id_of = {}
    for part in ("train.txt", "val.txt"):
        for line in (source / part).read_text().splitlines():
            path, class_id, _ = line.split(", ")
            id_of[path] = class_id
    entries = []

    def listed(name, path, condition):
        return {"file": name, "class": class_of[id_of[path]], "class_id": int(id_of[path]), "condition": condition,
                "licence": DATASET["licence"], "source": f"{DATASET['source']}, {path}"}

    for path in PHOTOS:
        name = pathlib.Path(path).name
        shutil.copyfile(source / path, grocery / name)
        entries.append(listed(name, path, "plain"))
    for path in PHOTOS[:2]:
        for condition, picture in worsened(Image.open(source / path).convert("RGB")):
            name = f"{pathlib.Path(path).stem}-{condition.replace('_', '-')}.jpg"
            saved(grocery, name, picture)
            entries.append(listed(name, path, condition))
    write_index(grocery, entries)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--photos", type=pathlib.Path, default=HERE.parents[2] / "shared/data/grocery_photos",
                         help="the Grocery Store Dataset's train and val photos, for grocery/")
    draw()
    copy_photos(options.parse_args().photos)


if __name__ == "__main__":
    main()
