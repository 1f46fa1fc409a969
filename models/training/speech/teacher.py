"""What the public weights say in the full window: their words, and the decoder states that led to them."""
from __future__ import annotations

from typing import Dict, List, Optional

import torch

from network import Cross, Network
from vocabulary import NO_TIMESTAMPS, TIMESTAMPS, SearchRules, Vocabulary

# Half a minute of quick speech is about 110 tokens; a text that goes on beyond this is a runaway of the teacher itself, and dropped.
LONGEST_TEXT = 160


class Teacher:
    def __init__(self, network: Network, vocabulary: Vocabulary) -> None:
        self.network, self.vocabulary = network, vocabulary
        self.rules = SearchRules(vocabulary)

    @torch.no_grad()
    def lessons(self, mels: torch.Tensor, languages: List[str], mode: str) -> List[Optional[Dict[str, tuple]]]:
        """For each clip of mels [clips, 80, 3000]: mode -> (prompt, text with its end, states), None where the text has no end.

        The words are searched for under `mode` and forced under the other one. states [prompt + text, width] float16: one for each
        position from the first of the prompt to the one that gives the end of the text.
        """
        cross = self.network.cross(self.network.encode(mels, None))
        prompts = [self.vocabulary.prompt(language, mode) for language in languages]
        lessons: List[Optional[Dict[str, tuple]]] = []
        for row, said in enumerate(self._search(cross, prompts, mode)):
            if said is None:
                lessons.append(None)
                continue
            own = [(key[row:row + 1], value[row:row + 1]) for key, value in cross]
            other = NO_TIMESTAMPS if mode == TIMESTAMPS else TIMESTAMPS
            lessons.append({
                name: self._forced(own, self.vocabulary.prompt(languages[row], name), text)
                for name, text in ((mode, said), (other, self._in_other_mode(own, languages[row], mode, said)))
            })
        return lessons

    @torch.no_grad()
    def heard(self, mels: torch.Tensor, languages: List[str]) -> List[Optional[List[int]]]:
        """The words of each clip of mels [clips, 80, 3000], without timestamps and end; None for a text without end."""
        cross = self.network.cross(self.network.encode(mels, None))
        return self._search(cross, [self.vocabulary.prompt(language, NO_TIMESTAMPS) for language in languages], NO_TIMESTAMPS)

    @torch.no_grad()
    def told(self, mels: torch.Tensor, languages: List[str], texts: List[List[int]]) -> List[Dict[str, tuple]]:
        """As `lessons`, for words that are known: what the teacher would have chosen at each of them."""
        cross = self.network.cross(self.network.encode(mels, None))
        lessons = []
        for row, (language, text) in enumerate(zip(languages, texts)):
            own = [(key[row:row + 1], value[row:row + 1]) for key, value in cross]
            timed = self._in_other_mode(own, language, NO_TIMESTAMPS, text)
            lessons.append({
                name: self._forced(own, self.vocabulary.prompt(language, name), words)
                for name, words in ((NO_TIMESTAMPS, text), (TIMESTAMPS, timed))
            })
        return lessons

    def _search(self, cross: Cross, prompts: List[List[int]], mode: str) -> List[Optional[List[int]]]:
        """whisper.cpp's greedy search: the text of each row without its end, None if it has none."""
        feed = torch.tensor(prompts, device=self.network.device)
        said: List[List[int]] = [[] for _ in prompts]
        going = list(range(len(prompts)))
        past: list = [None] * self.network.shape.layers
        for _ in range(LONGEST_TEXT):
            logits = self.network.logits(self.network.decode(feed, cross, None, past)[:, -1])
            self.rules.apply(logits, [said[row] for row in going], mode)
            chosen = logits.argmax(-1).tolist()
            kept = [at for at, token in enumerate(chosen) if token != self.vocabulary.end]
            if len(kept) < len(going):
                # Rows that have ended leave the batch: reading the keys of the full window is most of a step's work.
                cross, past = ([(key[kept], value[kept]) for key, value in pairs] for pairs in (cross, past))
            going, chosen = [going[at] for at in kept], [chosen[at] for at in kept]
            for row, token in zip(going, chosen):
                said[row].append(token)
            if not going:
                break
            feed = torch.tensor(chosen, device=self.network.device)[:, None]
        return [None if row in going else text for row, text in enumerate(said)]

    def _in_other_mode(self, cross: Cross, language: str, mode: str, said: List[int]) -> List[int]:
        """The same words under the other prompt; the closing timestamp is the teacher's own choice."""
        first = self.vocabulary.timestamp_0
        words = [token for token in said if token < first]
        if mode == TIMESTAMPS:
            return words
        opened = [*self.vocabulary.prompt(language, TIMESTAMPS), first, *words]
        states = self.network.decode(torch.tensor([opened], device=self.network.device), cross, None)
        return [first, *words, first + int(self.network.logits(states[0, -1])[first:].argmax())]

    def _forced(self, cross: Cross, prompt: List[int], text: List[int]) -> tuple:
        states = self.network.decode(torch.tensor([prompt + text], device=self.network.device), cross, None)[0]
        return prompt, [*text, self.vocabulary.end], states.half().cpu()
