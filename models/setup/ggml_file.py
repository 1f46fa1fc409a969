"""Writes Whisper's weights as the model file that whisper.cpp loads, and reads such a file's structure back.

The file, little endian throughout: a magic number and eleven i32 of dimensions; the mel filters; the tokens in order of rank; then the
tensors: rank i32, length of the name i32, type i32, dimensions from the innermost outwards i32 each, name, data.
"""
from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from typing import BinaryIO, Callable, Dict, List, Sequence

import numpy as np

import quantization
from errors import SetupError

MAGIC = 0x67676D6C
HEAD_WIDTH = 64  # in every published Whisper
TOKENS = 50257  # whisper.cpp adds the special tokens (languages, timestamps) after them by itself
# ggml's "version of the quantized formats", stored in the thousands of the file type.
QUANTIZATION_VERSION = 2
# Rows of a matrix that are quantized at a time: the float32 copies of a whole embedding would take 400 MB.
ROWS_AT_A_TIME = 4096


@dataclass(frozen=True)
class Type:
    """How matrices are stored. `tensor` and `file` are ggml's numbers for it; a block of values takes `block_bytes`."""

    tensor: int
    file: int
    block: int
    block_bytes: int
    pack: Callable[[np.ndarray], bytes]


F32 = Type(0, 0, 1, 4, lambda x: np.ascontiguousarray(x, "<f4").tobytes())
TYPES: Dict[str, Type] = {
    "f16": Type(1, 1, 1, 2, lambda x: np.ascontiguousarray(x, "<f2").tobytes()),
    "q8_0": Type(8, 1000 * QUANTIZATION_VERSION + 7, 32, 34, quantization.q8_0),
    "q5_1": Type(7, 1000 * QUANTIZATION_VERSION + 9, 32, 24, quantization.q5_1),
}


@dataclass(frozen=True)
class Header:
    """The fields in the order of the file."""

    vocabulary: int
    audio_context: int
    audio_width: int
    audio_heads: int
    audio_layers: int
    text_context: int
    text_width: int
    text_heads: int
    text_layers: int
    mel_bands: int
    file_type: int


@dataclass(frozen=True)
class StoredTensor:
    type: int
    shape: Sequence[int]
    data: bytes


def header_of(tensors: Dict[str, np.ndarray], type_name: str) -> Header:
    """Whisper's dimensions, read off its tensors."""
    def layers(side: str) -> int:
        return sum(name.startswith(f"{side}.blocks.") and name.endswith(".mlp_ln.weight") for name in tensors)

    vocabulary, text_width = tensors["decoder.token_embedding.weight"].shape
    audio_context, audio_width = tensors["encoder.positional_embedding"].shape
    return Header(
        vocabulary=vocabulary,
        audio_context=audio_context,
        audio_width=audio_width,
        audio_heads=audio_width // HEAD_WIDTH,
        audio_layers=layers("encoder"),
        text_context=len(tensors["decoder.positional_embedding"]),
        text_width=text_width,
        text_heads=text_width // HEAD_WIDTH,
        text_layers=layers("decoder"),
        mel_bands=tensors["encoder.conv1.weight"].shape[1],
        file_type=TYPES[type_name].file,
    )


def write(file: BinaryIO, tensors: Dict[str, np.ndarray], tokens: List[bytes], filters: np.ndarray, type_name: str) -> None:
    """`tokens` in order of rank; `filters` is `[mel bands, frequencies]`."""
    header = header_of(tensors, type_name)
    if len(tokens) != TOKENS:
        raise SetupError(f"{len(tokens)} tokens were given, but a Whisper model has {TOKENS}; use the token list that the manifest names for it")
    file.write(struct.pack("<12i", MAGIC, *astuple(header)))
    file.write(struct.pack("<2i", *filters.shape) + F32.pack(filters))
    file.write(struct.pack("<i", len(tokens)))
    for token in tokens:
        file.write(struct.pack("<i", len(token)) + token)
    for name, tensor in tensors.items():
        _write_tensor(file, name, tensor, TYPES[type_name])


def _write_tensor(file: BinaryIO, name: str, tensor: np.ndarray, matrix_type: Type) -> None:
    if name in ("encoder.conv1.bias", "encoder.conv2.bias"):
        # whisper.cpp adds them to [channels, time] and wants the second dimension to be there.
        tensor = tensor.reshape(-1, 1)
    kind = _type_for(name, tensor, matrix_type)
    if tensor.shape[-1] % kind.block:
        raise SetupError(f"{name} has rows of {tensor.shape[-1]} values, which blocks of {kind.block} do not fill; choose f16 for this model")
    encoded = name.encode()
    file.write(struct.pack(f"<{3 + tensor.ndim}i", tensor.ndim, len(encoded), kind.tensor, *tensor.shape[::-1]) + encoded)
    for start in range(0, len(tensor), ROWS_AT_A_TIME):
        file.write(kind.pack(tensor[start:start + ROWS_AT_A_TIME]))


def _type_for(name: str, tensor: np.ndarray, matrix_type: Type) -> Type:
    """Vectors and position encodings stay float32; convolutions are float16 at most, since whisper.cpp does not quantize them."""
    if tensor.ndim < 2 or tensor.shape[-1] == 1 or name.endswith("positional_embedding"):
        return F32
    return matrix_type if tensor.ndim == 2 else TYPES["f16"]


def read(file: BinaryIO) -> "tuple[Header, List[bytes], Dict[str, StoredTensor]]":
    """Header, tokens and tensors of a file, or an error if its structure does not end exactly where the file does."""
    types = {kind.tensor: kind for kind in [F32, *TYPES.values()]}

    def take(size: int) -> bytes:
        data = file.read(size)
        if len(data) != size:
            raise SetupError(f"the model file ends {size - len(data)} bytes early; it was cut short: make it again")
        return data

    def numbers(count: int) -> "tuple[int, ...]":
        return struct.unpack(f"<{count}i", take(4 * count))

    magic, *fields = numbers(12)
    if magic != MAGIC:
        raise SetupError(f"the file starts with {magic:#x}, but a ggml model starts with {MAGIC:#x}; it is no model of whisper.cpp")
    bands, frequencies = numbers(2)
    take(4 * bands * frequencies)
    tokens = [take(numbers(1)[0]) for _ in range(numbers(1)[0])]
    tensors: Dict[str, StoredTensor] = {}
    while start := file.read(4):
        rank = struct.unpack("<i", start)[0]
        name_size, code = numbers(2)
        shape = numbers(rank)[::-1]
        name = take(name_size).decode()
        kind = types[code]
        tensors[name] = StoredTensor(code, shape, take(int(np.prod(shape)) // kind.block * kind.block_bytes))
    return Header(*fields), tokens, tensors

