"""Reads Whisper weights from a CTranslate2 model file and gives them the names of openai-whisper, which whisper.cpp expects.

The file, little endian throughout: format version u32, name of the model's specification, its revision u32; a count u32 and as many
variables: name, rank u8, dimensions u32 each, type u8, size in bytes u32, data; a count u32 and as many aliases, two names each. A name
is its length u16, which counts a closing NUL, and its bytes.
"""
from __future__ import annotations

import struct
from pathlib import Path
from typing import Dict

import numpy as np

from errors import SetupError

FORMAT_VERSION = 6
SPECIFICATION = "WhisperSpec"
NUMPY_TYPES = {0: np.dtype("<f4"), 1: np.dtype("i1"), 2: np.dtype("<i2"), 3: np.dtype("<i4"), 4: np.dtype("<f2")}

Tensors = Dict[str, np.ndarray]


class _Cursor:
    """Walks through the file and refuses to step over its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = memoryview(path.read_bytes())
        self.at = 0

    def take(self, size: int) -> memoryview:
        if self.at + size > len(self.bytes):
            raise SetupError(
                f"{self.path} ends at byte {len(self.bytes)}, but its contents go on to at least byte {self.at + size}; "
                "it was cut short: download it again"
            )
        self.at += size
        return self.bytes[self.at - size:self.at]

    def number(self, kind: str) -> int:
        return struct.unpack("<" + kind, self.take(struct.calcsize(kind)))[0]

    def name(self) -> str:
        return bytes(self.take(self.number("H"))).rstrip(b"\0").decode("utf-8", "replace")


def read_variables(path: Path) -> Tensors:
    """Every variable of the file under CTranslate2's own name. The arrays are views into one copy of the file."""
    cursor = _Cursor(path)
    version = cursor.number("I")
    specification = cursor.name() if version == FORMAT_VERSION else None
    if specification != SPECIFICATION:
        raise SetupError(
            f"{path} starts with format version {version} and specification {specification}, but version {FORMAT_VERSION} and "
            f"{SPECIFICATION} are expected; it is no Whisper model of CTranslate2, or one of another converter: use the package that the manifest names"
        )
    cursor.number("I")  # the specification's revision says nothing about the layout of the weights
    variables: Tensors = {}
    for _ in range(cursor.number("I")):
        name = cursor.name()
        shape = [cursor.number("I") for _ in range(cursor.number("B"))]
        code, size = cursor.number("B"), cursor.number("I")
        data = cursor.take(size)
        kind = NUMPY_TYPES.get(code)
        if kind is None or int(np.prod(shape, dtype=np.int64)) * kind.itemsize != size:
            raise SetupError(f"{path}, {name}: {size} bytes of type {code} do not fill a tensor of shape {shape}; the file is damaged: download it again")
        variables[name] = np.frombuffer(data, kind).reshape(shape)
    for _ in range(2 * cursor.number("I")):
        cursor.name()  # an alias only repeats a variable for the output layer, which whisper.cpp ties to the embedding by itself
    if cursor.at != len(cursor.bytes):
        raise SetupError(f"{path} has {len(cursor.bytes) - cursor.at} bytes after its end; it is damaged: download it again")
    return variables


def whisper_tensors(variables: Tensors) -> Tensors:
    """The same weights as openai-whisper's state dict has them.

    CTranslate2 stacks the matrices that read one input: query, key and value in self attention, key and value in cross attention. Keys
    have no bias in Whisper; CTranslate2 stores zeros for them, which are dropped here.
    """
    try:
        return _Renamer(variables).rename()
    except KeyError as missing:
        raise SetupError(f"the weights have no {missing}, which every Whisper model has; use the package that the manifest names") from missing


class _Renamer:
    def __init__(self, variables: Tensors) -> None:
        self.variables = variables
        self.tensors: Tensors = {}
        self.width = variables["encoder/position_encodings/encodings"].shape[1]

    def rename(self) -> Tensors:
        for side in ("encoder", "decoder"):
            self.tensors[f"{side}.positional_embedding"] = self.variables[f"{side}/position_encodings/encodings"]
        self.tensors["decoder.token_embedding.weight"] = self.variables["decoder/embeddings/weight"]
        for convolution in ("conv1", "conv2"):
            self._linear(f"encoder.{convolution}", f"encoder/{convolution}")
        for side in ("encoder", "decoder"):
            for layer in range(self._layers(side)):
                self._block(f"{side}.blocks.{layer}", f"{side}/layer_{layer}")
        self._norm("encoder.ln_post", "encoder/layer_norm")
        self._norm("decoder.ln", "decoder/layer_norm")
        for name, tensor in self.tensors.items():
            if tensor.dtype.kind != "f":
                raise SetupError(f"{name} is stored as {tensor.dtype}, but float16 or float32 is expected; use weights that were not quantized")
        return self.tensors

    def _layers(self, side: str) -> int:
        return sum(name.startswith(f"{side}/layer_") and name.endswith("/self_attention/linear_0/weight") for name in self.variables)

    def _block(self, target: str, source: str) -> None:
        self._norm(f"{target}.attn_ln", f"{source}/self_attention/layer_norm")
        self._stack([f"{target}.attn.{role}" for role in ("query", "key", "value")], f"{source}/self_attention/linear_0")
        self._linear(f"{target}.attn.out", f"{source}/self_attention/linear_1")
        if f"{source}/attention/linear_0/weight" in self.variables:
            self._norm(f"{target}.cross_attn_ln", f"{source}/attention/layer_norm")
            self._linear(f"{target}.cross_attn.query", f"{source}/attention/linear_0")
            self._stack([f"{target}.cross_attn.{role}" for role in ("key", "value")], f"{source}/attention/linear_1")
            self._linear(f"{target}.cross_attn.out", f"{source}/attention/linear_2")
        self._norm(f"{target}.mlp_ln", f"{source}/ffn/layer_norm")
        self._linear(f"{target}.mlp.0", f"{source}/ffn/linear_0")
        self._linear(f"{target}.mlp.2", f"{source}/ffn/linear_1")

    def _linear(self, target: str, source: str) -> None:
        self.tensors[f"{target}.weight"] = self.variables[f"{source}/weight"]
        self.tensors[f"{target}.bias"] = self.variables[f"{source}/bias"]

    def _norm(self, target: str, source: str) -> None:
        self.tensors[f"{target}.weight"] = self.variables[f"{source}/gamma"]
        self.tensors[f"{target}.bias"] = self.variables[f"{source}/beta"]

    def _stack(self, targets: "list[str]", source: str) -> None:
        weight, bias = self.variables[f"{source}/weight"], self.variables[f"{source}/bias"]
        for index, target in enumerate(targets):
            rows = slice(index * self.width, (index + 1) * self.width)
            self.tensors[f"{target}.weight"] = weight[rows]
            if not target.endswith(".key"):
                self.tensors[f"{target}.bias"] = bias[rows]
