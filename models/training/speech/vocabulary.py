"""Whisper's special tokens, and which tokens its greedy search may choose next."""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Dict, List, Sequence

import torch

from model_weights import Shape

# In the order of their tokens, as in openai-whisper and whisper.cpp.
LANGUAGES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml cy sk te fa lv "
    "bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa "
    "lb my bo tl mg as tt haw ln ha ba jw su"
).split()
TIMESTAMPS, NO_TIMESTAMPS = "timestamps", "no_timestamps"
# Notes, brackets and quotes that never stand for a spoken word; whisper.cpp shuts out the same with suppress_nst.
NO_SPEECH_SYMBOLS = (
    '" # ( ) * + / : ; < = > @ [ \\ ] ^ _ ` { | } ~ 「 」 『 』 << >> <<< >>> -- --- -( -[ (\' (" (( )) ((( ))) [[ ]] {{ }} '
    "♪♪ ♪♪♪ ♩ ♪ ♫ ♬ ♭ ♮ ♯"
).split()
TIMESTAMP_SECONDS = 0.02
# How byte pair encoding parts a text before it looks for tokens (GPT-2), for the Latin letters that Whisper writes.
PIECES = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?[^\s\w]+|\s+")
LATEST_FIRST_TIMESTAMP_S = 1.0  # whisper.cpp's max_initial_ts


@dataclass(frozen=True)
class Vocabulary:
    """Token ids of one model. Text tokens are below `end`, timestamps start at `timestamp_0` and count 20 ms."""

    shape: Shape
    tokens: List[bytes] = field(repr=False)

    @property
    def end(self) -> int:
        return 50256 if self.shape.english_only else 50257

    @property
    def start(self) -> int:
        return self.end + 1

    @property
    def transcribe(self) -> int:
        return self.start + 1 + 99 + 1

    @property
    def no_timestamps(self) -> int:
        return self.transcribe + 4

    @property
    def timestamp_0(self) -> int:
        return self.no_timestamps + 1

    def prompt(self, language: str, mode: str) -> List[int]:
        """What the decoder is given before the text; English-only models take no language."""
        middle = [] if self.shape.english_only else [self.start + 1 + LANGUAGES.index(language), self.transcribe]
        return [self.start, *middle, *([self.no_timestamps] if mode == NO_TIMESTAMPS else [])]

    def text(self, ids: Sequence[int]) -> str:
        return b"".join(self.tokens[i] for i in ids if i < self.end).decode("utf-8", "replace")

    def ids(self, text: str) -> List[int]:
        """Byte pair encoding: the neighbours that make the earliest token are joined first, as long as there are any."""
        ranks = self._ranks()
        found: List[int] = []
        for piece in PIECES.findall(text):
            parts = [bytes([byte]) for byte in piece.encode()]
            while len(parts) > 1:
                joined = [ranks.get(left + right, len(ranks)) for left, right in zip(parts, parts[1:])]
                at = min(range(len(joined)), key=joined.__getitem__)
                if joined[at] == len(ranks):
                    break
                parts[at:at + 2] = [parts[at] + parts[at + 1]]
            found += [ranks[part] for part in parts]
        return found

    def _ranks(self) -> Dict[bytes, int]:
        return {token: rank for rank, token in enumerate(self.tokens[:self.end])}

    def never_spoken(self) -> torch.Tensor:
        """[vocabulary] bool: tokens that no search may choose."""
        banned = torch.zeros(self.shape.vocabulary, dtype=torch.bool)
        banned[self.start:self.timestamp_0] = True
        index = {token: i for i, token in enumerate(self.tokens)}
        wanted = [form for symbol in NO_SPEECH_SYMBOLS for form in (symbol, " " + symbol)] + [" -", " '"]
        for symbol in wanted:
            if symbol.encode() in index:
                banned[index[symbol.encode()]] = True
        return banned


class SearchRules:
    """whisper.cpp's rules for the next token: no blank first, timestamps in pairs and in order, no symbols that nobody says."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.banned = vocabulary.never_spoken()
        self.blank = vocabulary.tokens.index(b" ")

    def apply(self, logits: torch.Tensor, said: Sequence[Sequence[int]], mode: str) -> None:
        """Lowers what is not allowed in `logits` [rows, vocabulary] to -inf; `said` is each row's text so far."""
        first = self.vocabulary.timestamp_0
        logits[:, self.banned.to(logits.device)] = -torch.inf
        for row, tokens in zip(logits, said):
            if not tokens:
                row[self.blank] = row[self.vocabulary.end] = -torch.inf
            if mode == NO_TIMESTAMPS:
                row[first:] = -torch.inf
            else:
                self._order_timestamps(row, tokens, first)

    def _order_timestamps(self, row: torch.Tensor, tokens: Sequence[int], first: int) -> None:
        if not tokens:
            row[:first] = -torch.inf
            row[first + round(LATEST_FIRST_TIMESTAMP_S / TIMESTAMP_SECONDS) + 1:] = -torch.inf
            return
        stamps = [token for token in tokens if token >= first]
        after_stamp = tokens[-1] >= first
        pair_closed = after_stamp and (len(tokens) < 2 or tokens[-2] >= first)
        if pair_closed:
            row[first:] = -torch.inf
        elif after_stamp:
            row[:self.vocabulary.end] = -torch.inf
        if stamps:
            # The end of a segment may start the next one, but no segment may be empty.
            row[first:stamps[-1] + (0 if after_stamp and not pair_closed else 1)] = -torch.inf
        scores = row.log_softmax(-1)
        if scores[first:].logsumexp(-1) > scores[:first].max():
            row[:first] = -torch.inf
