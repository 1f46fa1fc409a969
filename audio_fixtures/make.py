#!/usr/bin/env python3
"""Makes the spoken test clips and writes index.jsonl beside them.

    audio_fixtures/make.sh                                     installs what is needed, then runs this file
    python3 audio_fixtures/make.py [--recordings ../shared/data]

Needs espeak-ng, flite and ffmpeg (Debian), numpy, and for the natural voice the package hibari-tts. Seeds are fixed: the same versions on
the same kind of processor give the same bytes. Another version of a speech engine says the same words in slightly other samples, so tests
hold clips to words and durations, not to checksums; the checksums in the index tell whether a checkout is whole.

Where people's own recordings are at hand (`--recordings`), a few with free licences are put into recorded/, with an index of their own.
"""
import argparse
import dataclasses
import hashlib
import json
import pathlib
import struct
import subprocess
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
SPEECH_DBFS = -24.0        # level of the spoken parts: a talker about half a metre from a desk microphone
NOISY_SNR_DB = 12.0        # a coffee bar in use; Whisper tiny.en still hears the words
SYNTHETIC_LICENCE = "MIT"


# --- voices -----------------------------------------------------------------------------------------------------------------------------
# name: (engine, argument, what the index says)
VOICES = {
    "heart": ("hibari", (1.0, 1.0), "hibari-tts 0.2.1 heart"),
    "heart-fast": ("hibari", (1.35, 1.0), "hibari-tts 0.2.1 heart, speed 1.35"),
    # Spoken faster and played slower by the same factor: the same pace, a lower voice.
    "heart-low": ("hibari", (1.15, 1.15), "hibari-tts 0.2.1 heart, played at 87 % of its pitch"),
    "slt": ("flite", "slt", "flite slt"),
    "rms": ("flite", "rms", "flite rms"),
    "awb": ("flite", "awb", "flite awb"),
    "kal16": ("flite", "kal16", "flite kal16"),
    "en-us": ("espeak-ng", "en-us", "espeak-ng en-us"),
    "en-gb": ("espeak-ng", "en-gb", "espeak-ng en-gb"),
    "en-us-f3": ("espeak-ng", "en-us+f3", "espeak-ng en-us, female variant f3"),
}


@dataclasses.dataclass
class Clip:
    file: str
    text: str
    voice: str = ""
    condition: str = "clean"
    intent: str = ""
    photo: str = ""        # tracked photo in tests/photos
    photo_real: str = ""  # photograph in tests/photos
    expected: str | None = None  # where less is heard than was said


HOW_MUCH = "How much is this?"
APPLES = "How much are the Granny Smith apples?"
AVOCADOS = "Do you have any avocados left?"
OAT_MILK = "Where can I find the oat milk?"
LACTOSE = "Is there lactose in this yoghurt?"
GLUTEN = "Is this gluten free?"
BANANAS = "Where do these bananas come from?"
OFFERS = "Do you have any offers today?"
CLOSE = "When do you close today?"
CARD = "Can I pay by card?"
MONEY_BACK = "I want my money back."
GOES_WELL = "What goes well with this?"
MUSHROOMS = "What can I cook with these mushrooms?"
WHAT = "What is this?"
BREAKFAST = "Can you recommend something for breakfast?"
LATTE = "I would like a large latte with oat milk, please."
CAPPUCCINO = "Can I get a small cappuccino with soy milk and sugar?"
PERSON = "Can I talk to a person?"
CHEAPER = "Do you have a cheaper juice?"
WHICH = "Which is cheaper, the oat milk or the standard milk?"
LONG = [APPLES, LACTOSE, OAT_MILK, OFFERS, CLOSE, CARD, GOES_WELL, CHEAPER, BREAKFAST, PERSON]

APPLE_PHOTO = {"photo": "apples.jpg", "photo_real": "grocery/Granny-Smith_001.jpg"}
CLIPS = [
    # 16 kHz mono FLAC: what a kiosk's microphone delivers on a good day.
    Clip("how-much.heart.flac", HOW_MUCH, "heart", intent="price", **APPLE_PHOTO),
    Clip("how-much.slt.flac", HOW_MUCH, "slt", intent="price", **APPLE_PHOTO),
    Clip("how-much.en-us.flac", HOW_MUCH, "en-us", intent="price", **APPLE_PHOTO),
    Clip("how-much.en-gb.flac", HOW_MUCH, "en-gb", intent="price", **APPLE_PHOTO),
    Clip("apples.heart.flac", APPLES, "heart", intent="price", **APPLE_PHOTO),
    Clip("avocados.rms.flac", AVOCADOS, "rms", intent="stock", photo_real="grocery/Avocado_004.jpg"),
    Clip("oat-milk.heart-low.flac", OAT_MILK, "heart-low", intent="place"),
    Clip("lactose.heart.flac", LACTOSE, "heart", intent="allergens", photo_real="grocery/Arla-Natural-Yoghurt_010.jpg"),
    Clip("gluten.heart-low.flac", GLUTEN, "heart-low", intent="allergens"),
    Clip("bananas.heart.flac", BANANAS, "heart", intent="origin", photo_real="grocery/Banana_005.jpg"),
    Clip("offers.slt.flac", OFFERS, "slt", intent="offers"),
    Clip("close.rms.flac", CLOSE, "rms", intent="opening_hours"),
    Clip("card.awb.flac", CARD, "awb", intent="payment"),
    Clip("avocados.en-us-f3.flac", AVOCADOS, "en-us-f3", intent="stock", photo_real="grocery/Avocado_004.jpg"),
    Clip("money-back.kal16.flac", MONEY_BACK, "kal16", intent="returns"),
    Clip("goes-well.heart.flac", GOES_WELL, "heart", intent="goes_with", **APPLE_PHOTO),
    Clip("mushrooms.heart-low.flac", MUSHROOMS, "heart-low", intent="recipe", photo_real="grocery/Brown-Cap-Mushroom_003.jpg"),
    Clip("what-is-this.heart.flac", WHAT, "heart", intent="identify", **APPLE_PHOTO),
    Clip("breakfast.heart-low.flac", BREAKFAST, "heart-low", intent="recommend"),
    Clip("latte.heart.flac", LATTE, "heart", intent="order_drink"),
    Clip("cappuccino.heart-low.flac", CAPPUCCINO, "heart-low", intent="order_drink"),
    Clip("person.slt.flac", PERSON, "slt", intent="handoff"),
    Clip("cheaper-juice.heart.flac", CHEAPER, "heart", intent="compare", photo_real="grocery/God-Morgon-Orange-Juice_002.jpg"),
    Clip("which-cheaper.heart-low.flac", WHICH, "heart-low", intent="compare"),
    # Other rates, layouts and containers.
    Clip("offers.48k-stereo.flac", OFFERS, "heart", "stereo_48k", "offers"),
    Clip("close.44k1-left-only.wav", CLOSE, "heart", "left_only_44k1", "opening_hours"),
    Clip("card.44k1-24-bit.wav", CARD, "heart-low", "pcm_24_bit", "payment"),
    Clip("oat-milk.float32.wav", OAT_MILK, "heart", "float32", "place"),
    Clip("what-is-this.192k.wav", WHAT, "heart-low", "mono_192k", "identify", **APPLE_PHOTO),
    Clip("goes-well.6-channels.wav", GOES_WELL, "heart-low", "six_channels", "goes_with", **APPLE_PHOTO),
    Clip("money-back.8-bit.wav", MONEY_BACK, "heart", "pcm_8_bit_11k", "returns"),
    Clip("avocados.mp3", AVOCADOS, "heart", "mp3", "stock"),
    Clip("latte.ogg", LATTE, "heart-low", "vorbis", "order_drink"),
    Clip("offers.telephone.wav", OFFERS, "heart", "telephone_8k", "offers"),
    Clip("close.telephone.wav", CLOSE, "rms", "telephone_8k", "opening_hours"),
    Clip("person.telephone.wav", PERSON, "heart-low", "telephone_8k", "handoff"),
    Clip("cheaper-juice.telephone-a-law.wav", CHEAPER, "heart", "telephone_8k_a_law", "compare"),
    # Rooms, microphones and people as they are.
    Clip("apples.noisy.flac", APPLES, "heart", "noisy", "price", **APPLE_PHOTO),
    Clip("offers.noisy.flac", OFFERS, "heart-low", "noisy", "offers"),
    Clip("cappuccino.noisy.flac", CAPPUCCINO, "heart", "noisy", "order_drink"),
    Clip("which-cheaper.clipped.flac", WHICH, "heart", "clipped", "compare"),
    Clip("bananas.quiet.flac", BANANAS, "heart", "quiet", "origin"),
    Clip("breakfast.fast.flac", BREAKFAST, "heart-fast", "fast", "recommend"),
    Clip("mushrooms.cut-off.flac", MUSHROOMS, "heart", "cut_off", expected="What can I cook with these"),
    Clip("person.padded.flac", PERSON, "heart", "padded", "handoff"),
    Clip("ten-questions.ogg", " ".join(LONG), "heart", "longer_than_30_s"),
    # Nothing to hear.
    Clip("silence.wav", "", condition="silence"),
    Clip("white-noise.flac", "", condition="noise"),
    Clip("hum.flac", "", condition="hum"),
    Clip("kitchen.flac", "", condition="kitchen"),
]


class Missing(Exception):
    """A speech engine that is not installed."""


class Speaker:
    def __init__(self):
        self.hibari, self.said = None, {}

    def say(self, voice, text):
        """Returns samples in -1..1 and their rate, without silence around, at SPEECH_DBFS."""
        if (voice, text) not in self.said:
            samples, rate = self._synthesize(*VOICES[voice][:2], text)
            self.said[voice, text] = levelled(trimmed(samples, rate), rate), rate
        return self.said[voice, text]

    def _synthesize(self, engine, argument, text):
        if engine == "hibari":
            if self.hibari is None:
                try:
                    from hibari import Hibari
                except ImportError:
                    raise Missing("hibari-tts") from None
                self.hibari = Hibari()
            speed, slower = argument
            samples = self.hibari(text, speed=speed, seed=7).astype(np.float64)
            return resampled(samples, self.hibari.sample_rate, round(self.hibari.sample_rate * slower)), self.hibari.sample_rate
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/said.wav"
            command = {"flite": ["flite", "-voice", argument, "-t", text, "-o", file],
                       "espeak-ng": ["espeak-ng", "-v", argument, "-s", "150", "-w", file, text]}[engine]
            try:
                subprocess.run(command, check=True, capture_output=True)
            except FileNotFoundError:
                raise Missing(engine) from None
            return read_pcm16(pathlib.Path(file).read_bytes())


# --- samples ----------------------------------------------------------------------------------------------------------------------------

def read_pcm16(data):
    """The WAV that flite and espeak-ng write: 16 bit, mono."""
    rate, at = struct.unpack_from("<I", data, 24)[0], data.index(b"data") + 8
    return np.frombuffer(data[at:at + (len(data) - at) // 2 * 2], "<i2") / 32768, rate


def resampled(samples, from_rate, to_rate):
    """By Fourier transform: exact for clips of seconds, and needs no filter design. The ends are padded, as the transform wraps around."""
    if from_rate == to_rate:
        return samples
    pad = from_rate // 10
    padded = np.pad(samples, pad)
    length = round(len(padded) * to_rate / from_rate)
    spectrum = np.fft.rfft(padded)
    bins = np.zeros(length // 2 + 1, complex)
    shared = min(len(bins), len(spectrum))
    bins[:shared] = spectrum[:shared]
    out = np.fft.irfft(bins, length) * length / len(padded)
    cut = round(pad * to_rate / from_rate)
    return out[cut:length - cut]


def frame_levels(samples, rate):
    frame = rate // 100
    return np.sqrt(np.mean(samples[:len(samples) // frame * frame].reshape(-1, frame) ** 2, 1))


def trimmed(samples, rate):
    """Engines put up to half a second of silence around; 50 ms stay."""
    heard = np.flatnonzero(frame_levels(samples, rate) > 10 ** (-50 / 20))
    frame, margin = rate // 100, rate // 20
    return samples[max(heard[0] * frame - margin, 0):(heard[-1] + 1) * frame + margin]


def speech_rms(samples, rate):
    """Over the frames in which somebody speaks: pauses must not make a sentence count as quieter."""
    levels = frame_levels(samples, rate)
    return np.sqrt(np.mean(levels[levels > levels.max() * 0.1] ** 2))


def levelled(samples, rate, dbfs=SPEECH_DBFS):
    out = samples * 10 ** (dbfs / 20) / speech_rms(samples, rate)
    return out * min(1, 0.89 / np.abs(out).max())


def band(samples, rate, low_hz, high_hz):
    spectrum, hz = np.fft.rfft(samples), np.fft.rfftfreq(len(samples), 1 / rate)
    return np.fft.irfft(spectrum * ((hz >= low_hz) & (hz <= high_hz)), len(samples))


def silence(seconds, rate):
    return np.zeros(round(seconds * rate))


def kitchen(rng, seconds, rate):
    """A coffee bar without people: mains hum, a fan, a milk steamer that comes and goes, cups against saucers. RMS 1."""
    count = round(seconds * rate)
    time = np.arange(count) / rate
    hum = sum(np.sin(2 * np.pi * hz * time + rng.uniform(0, 6)) / order for order, hz in enumerate((50, 100, 150, 250), 1))
    white = np.fft.rfft(rng.normal(size=count))
    hz = np.maximum(np.fft.rfftfreq(count, 1 / rate), 20)
    fan = np.fft.irfft(white / np.sqrt(hz), count)
    steam = band(rng.normal(size=count), rate, 2500, 6500) * np.clip(np.sin(2 * np.pi * (time / 2.7 + rng.uniform())), 0, 1)
    clinks = np.zeros(count)
    for _ in range(max(1, round(seconds * 1.2))):
        start = rng.integers(0, max(1, count - rate // 4))
        ring = np.arange(rate // 4) / rate
        cup = sum(rng.uniform(0.4, 1) * np.sin(2 * np.pi * rng.uniform(1800, 6500) * ring) for _ in range(4)) * np.exp(-ring * 28)
        clinks[start:start + len(cup)] += cup[:count - start]
    parts = ((hum, 0.25), (fan, 0.75), (steam, 0.5), (clinks, 0.45))
    total = sum(part / np.sqrt(np.mean(part ** 2)) * weight for part, weight in parts)
    return total / np.sqrt(np.mean(total ** 2))


# --- containers -------------------------------------------------------------------------------------------------------------------------

def pcm(samples, bits):
    """`samples` is [time] or [time, channels]. Rounds, no dither: silence stays zero."""
    scaled = np.round(np.clip(samples, -1, 1 - 2.0 ** (1 - bits)) * 2.0 ** (bits - 1)).astype(np.int64)
    if bits == 8:
        return (scaled + 128).astype(np.uint8).tobytes()           # 8-bit WAV is unsigned
    return b"".join(value.to_bytes(3, "little", signed=True) for value in scaled.ravel().tolist()) if bits == 24 else scaled.astype("<i2").tobytes()


def mu_law(samples):
    """ITU-T G.711 on 14-bit values; 33 is the standard's bias, 8158 the largest magnitude that fits with it."""
    value = np.round(np.clip(samples, -1, 1) * 8192).astype(int)
    magnitude = np.minimum(np.abs(value), 8158) + 33
    segment = np.floor(np.log2(magnitude)).astype(int) - 5
    code = (segment << 4) | ((magnitude >> (segment + 1)) & 15)
    return (~(code | np.where(value < 0, 0x80, 0)) & 0xFF).astype(np.uint8).tobytes()


def a_law(samples):
    """ITU-T G.711 on 13-bit values; even bits are inverted on the line."""
    value = np.round(np.clip(samples, -1, 1) * 4096).astype(int)
    magnitude = np.minimum(np.where(value < 0, -value - 1, value), 4095)
    segment = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(int) - 4, 0)
    code = (segment << 4) | ((magnitude >> np.maximum(segment, 1)) & 15)
    return ((code | np.where(value < 0, 0, 0x80)) ^ 0x55).astype(np.uint8).tobytes()


FORMAT_PCM, FORMAT_FLOAT, FORMAT_A_LAW, FORMAT_MU_LAW, FORMAT_EXTENSIBLE = 1, 3, 6, 7, 0xFFFE


def wav(data, rate, channels=1, bits=16, kind=FORMAT_PCM, speakers=None, declared=None):
    """`speakers` is the channel mask of WAVE_FORMAT_EXTENSIBLE; `declared` overrides the size of the data chunk, for broken files."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * block, block, bits)
    if speakers is not None:
        guid = struct.pack("<H", kind) + bytes.fromhex("000000001000800000aa00389b71")
        form = struct.pack("<H", FORMAT_EXTENSIBLE) + form[2:] + struct.pack("<HHI", 22, bits, speakers) + guid
    elif kind != FORMAT_PCM:
        form += struct.pack("<H", 0)
    fact = b"" if kind == FORMAT_PCM else b"fact" + struct.pack("<II", 4, len(data) // max(block, 1))
    size = len(data) if declared is None else declared
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + fact + b"data" + struct.pack("<I", size) + data + bytes(len(data) % 2)
    whole = len(body) if declared is None else min(declared + len(body) - len(data), 0xFFFFFFFF)
    return b"RIFF" + struct.pack("<I", whole) + body


ENCODERS = {
    ".flac": ["-c:a", "flac", "-compression_level", "12", "-sample_fmt", "s16"],
    ".mp3": ["-c:a", "libmp3lame", "-b:a", "48k"],
    ".ogg": ["-c:a", "libvorbis", "-q:a", "1"],
}


def encode(path, source):
    """`source`: bytes of a WAV, or the path of a recording. bitexact leaves out dates, versions and random stream numbers."""
    how = ["-i", "-"] if isinstance(source, bytes) else ["-i", str(source), "-ac", "1", "-ar", "16000"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *how, "-map_metadata", "-1", *ENCODERS[path.suffix],
                    "-fflags", "+bitexact", "-flags:a", "+bitexact", str(path)],
                   input=source if isinstance(source, bytes) else None, check=True)


# --- conditions -------------------------------------------------------------------------------------------------------------------------

def render(clip, speaker):
    """Returns the seconds it lasts, having written the file."""
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(clip.file.encode()).digest()[:4], "big"))
    path, wide = HERE / clip.file, 16_000

    def spoken(rate, text=clip.text):
        samples, own = speaker.say(clip.voice, text)
        return np.concatenate([silence(0.2, rate), resampled(samples, own, rate), silence(0.3, rate)])

    def store(samples, rate, bits=16, **how):
        channels = 1 if samples.ndim == 1 else samples.shape[1]
        data = wav(pcm(samples, bits), rate, channels, bits, **how)
        path.write_bytes(data) if path.suffix == ".wav" else encode(path, data)
        return len(samples) / rate

    match clip.condition:
        case "clean" | "vorbis" | "fast":
            return store(spoken(wide), wide)
        case "stereo_48k":
            # The right microphone stands 10 cm further off.
            left = spoken(48_000)
            return store(np.stack([left, 0.8 * np.roll(left, 14)], 1), 48_000)
        case "left_only_44k1":
            left = spoken(44_100)
            return store(np.stack([left, np.zeros_like(left)], 1), 44_100)
        case "pcm_24_bit":
            return store(spoken(44_100), 44_100, bits=24)
        case "float32":
            samples = spoken(wide)
            path.write_bytes(wav(samples.astype("<f4").tobytes(), wide, 1, 32, FORMAT_FLOAT))
            return len(samples) / wide
        case "mono_192k":
            return store(spoken(192_000), 192_000)
        case "six_channels":
            # A ring of microphones as 5.1: the same words, up to two samples apart.
            one = spoken(wide)
            ring = [np.roll(one, late) * loud for late, loud in ((0, 1.0), (0, 0.9), (1, 0.8), (1, 0.7), (2, 0.6), (2, 0.5))]
            return store(np.stack(ring, 1), wide, speakers=0x3F)
        case "pcm_8_bit_11k":
            return store(spoken(11_025), 11_025, bits=8)
        case "mp3":
            return store(spoken(44_100), 44_100)
        case "telephone_8k" | "telephone_8k_a_law":
            samples = band(spoken(8_000), 8_000, 300, 3400)
            law = (mu_law, FORMAT_MU_LAW) if clip.condition == "telephone_8k" else (a_law, FORMAT_A_LAW)
            path.write_bytes(wav(law[0](samples), 8_000, 1, 8, law[1]))
            return len(samples) / 8_000
        case "noisy":
            samples = spoken(wide)
            noise = kitchen(rng, len(samples) / wide, wide)[:len(samples)]
            return store(samples + noise * speech_rms(samples, wide) * 10 ** (-NOISY_SNR_DB / 20), wide)
        case "clipped":
            return store(np.clip(spoken(wide) * 10 ** (30 / 20), -0.98, 0.98), wide)
        case "quiet":
            return store(spoken(wide) * 10 ** (-28 / 20), wide)
        case "cut_off":
            samples, own = speaker.say(clip.voice, clip.text)
            cut = np.concatenate([silence(0.2, wide), resampled(samples, own, wide)[:round(0.57 * len(samples) * wide / own)]])
            return store(cut, wide)
        case "padded":
            room = rng.normal(size=3 * wide) * 10 ** (-66 / 20)
            return store(np.concatenate([room, resampled(*speaker.say(clip.voice, clip.text), wide), room[::-1]]), wide)
        case "longer_than_30_s":
            parts = [part for text in LONG for part in (spoken(wide, text), silence(1.2, wide))]
            return store(np.concatenate(parts), wide)
        case "silence":
            return store(silence(3, wide), wide)
        case "noise":
            return store(rng.normal(size=3 * wide) * 10 ** (-40 / 20), wide)
        case "hum":
            time = np.arange(3 * wide) / wide
            return store(0.1 + 0.05 * np.sin(2 * np.pi * 50 * time), wide)
        case "kitchen":
            return store(kitchen(rng, 3, wide) * 10 ** (-34 / 20), wide)
    raise ValueError(f"{clip.file}: no condition {clip.condition}")


def entry_of(clip, seconds):
    engine = VOICES[clip.voice][2] if clip.voice else ""
    entry = {
        "file": clip.file,
        "text": clip.text if clip.expected is None else clip.expected,
        "voice": clip.voice,
        "condition": clip.condition,
        "source": f"synthetic: {engine}" if engine else "synthetic: make.py",
        "licence": SYNTHETIC_LICENCE,
        "seconds": round(seconds, 3),
        "sha256": sha256(HERE / clip.file),
    }
    optional = {"expect_intent": clip.intent, "photo": clip.photo, "photo_real": clip.photo_real}
    return entry | {key: value for key, value in optional.items() if value}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_lines(path, entries):
    path.write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries))
    size = sum((path.parent / entry["file"]).stat().st_size for entry in entries)
    print(f"{path.parent}: {len(entries)} files, {size / 1e6:.2f} MB")


def make_clips():
    index = HERE / "index.jsonl"
    before = {entry["file"]: entry for entry in map(json.loads, index.read_text().splitlines())} if index.exists() else {}
    speaker, entries = Speaker(), []
    for clip in CLIPS:
        try:
            entries.append(entry_of(clip, render(clip, speaker)))
        except Missing as engine:
            if clip.file not in before:
                raise SystemExit(f"{clip.file} needs {engine}, which is not installed") from None
            print(f"{clip.file}: {engine} is not installed, the file is left as it is")
            entries.append(before[clip.file])
    write_lines(index, entries)


# --- files that must not bring anything down --------------------------------------------------------------------------------------------

def make_bad():
    folder = HERE / "bad"
    folder.mkdir(exist_ok=True)
    rate = 16_000
    tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    sound = pcm(tone, 16)
    nan = tone.astype("<f4")
    nan[::100], nan[50::100] = np.nan, np.inf
    # The first bytes of a JFIF file are what a sniffing decoder looks at.
    jpeg = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb") + bytes(range(256)) * 4 + bytes.fromhex("ffd9")
    refuse, either = "refuse", "refuse_or_partial"
    files = [
        ("empty.wav", b"", refuse, "0 bytes"),
        ("header-only.wav", wav(b"", rate), either, "a good header, no samples: nothing to hear"),
        ("truncated.wav", wav(sound[:8000], rate, declared=len(sound)), either, "the data chunk says 1 s, the file ends after 0.25 s"),
        ("text.wav", b"Where can I find the oat milk?\n", refuse, "plain text under the name .wav"),
        ("jpeg.wav", jpeg, refuse, "starts like a JPEG, named .wav"),
        ("declared-4-gb.wav", wav(sound[:8000], rate, declared=0xFFFFFFF0), either, "declares 4 GB of samples, holds 8 kB: memory must follow what is there"),
        ("nan.wav", wav(nan.tobytes(), rate, 1, 32, FORMAT_FLOAT), either, "float samples with NaN and infinity"),
        ("rate-zero.wav", wav(sound[:8000], 0), refuse, "sample rate 0"),
        ("no-channels.wav", wav(sound[:8000], rate, channels=0), refuse, "0 channels"),
        ("too-short.wav", wav(sound[:1600], rate), either, "0.05 s: whole, but shorter than any word"),
    ]
    for name, data, _, _ in files:
        (folder / name).write_bytes(data)
    encode(folder / "truncated.flac", wav(sound, rate))
    whole = (folder / "truncated.flac").read_bytes()
    (folder / "truncated.flac").write_bytes(whole[:len(whole) // 2])
    files.append(("truncated.flac", None, either, "first half of a good FLAC file"))
    write_lines(folder / "index.jsonl", [{"file": name, "expect": expect, "why": why} for name, _, expect, why in files])


def copy_recordings(source):
    """Reads recordings.jsonl: one recording a line, `from` being its place below `source`."""
    recorded, listed = HERE / "recorded", [json.loads(line) for line in (HERE / "recordings.jsonl").read_text().splitlines()]
    present = [entry for entry in listed if (source / entry["from"]).exists()]
    if not present:
        print(f"{source}: no recordings there, {recorded} is left as it is")
        return
    recorded.mkdir(exist_ok=True)
    for entry in present:
        encode(recorded / entry["file"], source / entry.pop("from"))
        entry["sha256"] = sha256(recorded / entry["file"])
    write_lines(recorded / "index.jsonl", present)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--recordings", type=pathlib.Path, default=HERE.parents[1] / "shared/data",
                         help="folder with coffee_orders/ and real_speech/, for recorded/")
    make_clips()
    make_bad()
    copy_recordings(options.parse_args().recordings)


if __name__ == "__main__":
    main()
