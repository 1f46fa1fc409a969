"""What a training run promises: a split that never moves, a state to go on from, and an adapter that models/setup accepts."""
from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
# The rest of the project's tests need none of these three; requirements/training.txt has them.
torch = pytest.importorskip("torch", reason="the training of speech models is not tested here: make training-packages")
pytest.importorskip("scipy", reason="the training of speech models is not tested here: make training-packages")
soundfile = pytest.importorskip("soundfile", reason="the training of speech models is not tested here: make training-packages")

import numpy as np  # noqa: E402

import checkpoint  # noqa: E402
import evaluate  # noqa: E402
import scores  # noqa: E402
from augmentation import LONGEST_SAMPLES, Augmentation  # noqa: E402
from fit import learn  # noqa: E402
from lessons import orders_of  # noqa: E402
from mel import SHORTEST_SAMPLES, log_mel, own_units  # noqa: E402
from model_weights import Shape  # noqa: E402
from network import FULL_UNITS, Network  # noqa: E402
from recordings import Recording, held_out, read_folder, training_part  # noqa: E402
from student import Batch, Batches, at_margin, losses  # noqa: E402
from teacher import Teacher  # noqa: E402
from vocabulary import NO_TIMESTAMPS, TIMESTAMPS, SearchRules, Vocabulary  # noqa: E402
from whisper_import import merge  # noqa: E402

SHAPE = Shape(width=64, heads=1, layers=1, vocabulary=51864)


def recording(number: int, source: str = "shop", speaker: "str | None" = None, group: "str | None" = None) -> Recording:
    return Recording(Path(f"{number}.wav"), f"{source}/{number}.wav", source, "en", speaker, group)


@pytest.fixture(scope="module")
def tensors() -> "dict[str, np.ndarray]":
    """A Whisper of one narrow layer with random weights, under the names of the real one."""
    random, width = np.random.default_rng(0), SHAPE.width

    def matrix(*sizes: int) -> np.ndarray:
        return (0.1 * random.standard_normal(sizes)).astype(np.float16)

    made = {
        "encoder.positional_embedding": matrix(FULL_UNITS, width), "decoder.positional_embedding": matrix(448, width),
        "decoder.token_embedding.weight": matrix(SHAPE.vocabulary, width), "encoder.conv1.weight": matrix(width, 80, 3),
        "encoder.conv1.bias": matrix(width), "encoder.conv2.weight": matrix(width, width, 3), "encoder.conv2.bias": matrix(width),
    }

    def norm(name: str) -> None:
        made[f"{name}.weight"], made[f"{name}.bias"] = np.ones(width, np.float16), np.zeros(width, np.float16)

    def block(name: str, attentions: "tuple[str, ...]") -> None:
        for attention in attentions:
            for role in ("query", "key", "value", "out"):
                made[f"{name}.{attention}.{role}.weight"] = matrix(width, width)
                if role != "key":
                    made[f"{name}.{attention}.{role}.bias"] = matrix(width)
            norm(f"{name}.{attention}_ln")
        made[f"{name}.mlp.0.weight"], made[f"{name}.mlp.0.bias"] = matrix(4 * width, width), matrix(4 * width)
        made[f"{name}.mlp.2.weight"], made[f"{name}.mlp.2.bias"] = matrix(width, 4 * width), matrix(width)
        norm(f"{name}.mlp_ln")

    block("encoder.blocks.0", ("attn",))
    block("decoder.blocks.0", ("attn", "cross_attn"))
    norm("encoder.ln_post")
    norm("decoder.ln")
    return made


def student(tensors: "dict[str, np.ndarray]", rank: int = 2) -> Network:
    torch.manual_seed(0)
    return Network(tensors, SHAPE, torch.device("cpu"), rank)


@pytest.fixture(scope="module")
def clips(tensors: "dict[str, np.ndarray]") -> "list[dict]":
    """Six clips of noise with made-up texts and the teacher's states for them."""
    network, random = student(tensors, rank=0), np.random.default_rng(1)
    found = []
    for number in range(6):
        mel, units = torch.from_numpy(random.standard_normal((80, 2 * FULL_UNITS)).astype(np.float16)), 40 + 10 * number
        cross = network.cross(network.encode(mel[None].float(), None))
        lessons = {}
        for mode, prompt in ((TIMESTAMPS, [50257]), (NO_TIMESTAMPS, [50257, 50362])):
            text = random.integers(0, 50000, size=4).tolist()
            states = network.decode(torch.tensor([prompt + text]), cross, None)[0]
            lessons[mode] = (prompt, [*text, 50256], states.detach().half())
        found.append({"units": units, "mel": mel, "pad": 0.0, "language": "en", "made_of": "one", "lessons": lessons})
    return found


def test_the_split_of_a_recording_does_not_depend_on_the_others():
    few, many = [recording(n) for n in range(20)], [recording(n) for n in range(500)]
    assert {key: side for key, side in held_out(many).items() if key in held_out(few)} == held_out(few)
    assert 0.2 < np.mean(list(held_out(many).values())) < 0.4


def test_a_speaker_is_on_one_side_of_the_split_only():
    recordings = [recording(n, speaker=f"speaker {n % 20}") for n in range(400)]
    kept_back, sides = held_out(recordings), {}
    for one in recordings:
        sides.setdefault(one.speaker, set()).add(kept_back[one.key])
    assert all(len(side) == 1 for side in sides.values())
    assert {True, False} == set.union(*sides.values())


def test_a_group_is_on_one_side_whoever_speaks():
    recordings = [recording(n, speaker=f"speaker {n % 20}", group="one sentence") for n in range(40)]
    assert len(set(held_out(recordings).values())) == 1


def test_a_folder_without_a_manifest_is_a_source_of_its_own(tmp_path):
    folder = tmp_path / "till" / "monday"
    folder.mkdir(parents=True)
    soundfile.write(folder / "1.wav", np.zeros(8000, np.float32), 8000)
    (folder / "notes.txt").write_text("no sound")
    found, = read_folder(tmp_path / "till", "de")
    assert (found.key, found.source, found.language) == ("till/monday/1.wav", "till", "de")


def test_a_manifest_tells_source_speaker_language_and_text(tmp_path):
    row = {"audio": "1.wav", "source": "calls", "speaker": "ann", "language": "fr", "text": "bonjour"}
    (tmp_path / "manifest.jsonl").write_text(json.dumps(row) + "\n")
    found, = read_folder(tmp_path, "en")
    assert (found.source, found.speaker, found.language, found.text) == ("calls", "ann", "fr", "bonjour")


def test_augmented_clips_fit_the_window_and_come_again_with_the_same_seed(tmp_path):
    soundfile.write(tmp_path / "1.wav", 0.1 * np.random.default_rng(0).standard_normal(20_000).astype(np.float32), 16_000)
    recordings = read_folder(tmp_path, "en")

    def made() -> "list[np.ndarray]":
        source = Augmentation(recordings, {}, None, np.random.default_rng(3)).clips()
        return [next(source).samples for _ in range(40)]

    first = made()
    assert all(SHORTEST_SAMPLES <= len(samples) <= LONGEST_SAMPLES and np.abs(samples).max() <= 1 for samples in first)
    assert max(map(len, first)) > 12 * 16_000
    assert all(np.array_equal(a, b) for a, b in zip(first, made()))


def test_a_disturbed_clip_comes_with_its_clean_sound_and_what_is_said_in_it(tmp_path):
    for number in range(3):
        soundfile.write(tmp_path / f"{number}.wav", 0.1 * np.random.default_rng(number).standard_normal(20_000).astype(np.float32), 16_000)
    keys = {recording.key for recording in read_folder(tmp_path, "en")}
    source = Augmentation(read_folder(tmp_path, "en"), {}, None, np.random.default_rng(4), noisy=1.0, noise_db=(0.0, 0.0)).clips()
    clips = [next(source) for _ in range(30)]
    assert all(len(clip.clean) == len(clip.samples) and set(clip.said) <= keys for clip in clips)
    spoken = [clip for clip in clips if clip.said]
    assert len(spoken) > 20 and any(len(clip.said) > 1 for clip in spoken)
    assert all(not np.allclose(clip.clean, clip.samples, atol=1e-3) for clip in spoken)


def test_the_full_window_without_training_is_the_teacher_itself(tensors, clips):
    with torch.no_grad():
        divergence, error = losses(student(tensors), Batch(clips[:1], [FULL_UNITS], TIMESTAMPS))
    assert divergence.item() == pytest.approx(0, abs=1e-4) and error.item() == pytest.approx(0, abs=1e-4)


def test_clips_in_a_batch_do_not_hear_each_other(tensors, clips):
    network = student(tensors)
    with torch.no_grad():
        together = losses(network, Batch(clips[:2], [50, 70], TIMESTAMPS))[1]
        apart = [losses(network, Batch([clip], [units], TIMESTAMPS)) for clip, units in zip(clips[:2], (50, 70))]
    assert together.item() == pytest.approx(np.mean([error.item() for _, error in apart]), rel=0.05)


def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(tensors, clips, tmp_path):
    def run(steps: range, network: Network, optimizer: torch.optim.Optimizer) -> None:
        batches = Batches(clips, seed=1)
        for step in steps:
            learn(network, batches.at(step), list(network.adapter.values()), optimizer, 0.01)

    def new() -> "tuple[Network, torch.optim.Optimizer]":
        network = student(tensors)
        return network, torch.optim.AdamW(list(network.adapter.values()), betas=(0.9, 0.98), weight_decay=0.0)

    whole, optimizer = new()
    run(range(6), whole, optimizer)

    killed, optimizer = new()
    run(range(3), killed, optimizer)
    checkpoint.save(tmp_path / "state.pt", 3, 12.5, killed.adapter, optimizer)
    resumed, optimizer = new()
    assert checkpoint.resume(tmp_path / "state.pt", resumed.adapter, optimizer) == {"step": 3, "seconds": 12.5}
    run(range(3, 6), resumed, optimizer)

    assert all(torch.equal(whole.adapter[name], resumed.adapter[name]) for name in whole.adapter)


def test_words_that_were_given_are_learnt_where_the_teacher_would_choose_others(tensors, clips):
    given = [{**clip, "told": True} for clip in clips]
    network = student(tensors)
    parameters = list(network.adapter.values())
    optimizer = torch.optim.AdamW(parameters, lr=1e-2)
    batch = at_margin(given[0], 16)
    before = losses(network, batch)[0].item()
    # Made-up words are nothing the teacher would say: far more is to learn than to follow it.
    assert before > 5 * losses(network, at_margin(clips[0], 16))[0].item()
    for _ in range(15):
        learn(network, batch, parameters, optimizer, 1e-2)
    assert losses(network, batch)[0].item() < 0.8 * before


def test_training_brings_the_student_nearer(tensors, clips):
    network = student(tensors)
    optimizer = torch.optim.AdamW(list(network.adapter.values()))
    before = sum(losses(network, at_margin(clip, 16))[1].item() for clip in clips)
    batches = Batches(clips, seed=1)
    for step in range(30):
        learn(network, batches.at(step), list(network.adapter.values()), optimizer, 0.005)
    assert sum(losses(network, at_margin(clip, 16))[1].item() for clip in clips) < before


def test_an_exported_adapter_merges_into_the_weights_it_was_trained_for(tensors, clips, tmp_path):
    network = student(tensors)
    optimizer = torch.optim.AdamW(list(network.adapter.values()))
    learn(network, Batches(clips, seed=1).at(0), list(network.adapter.values()), optimizer, 0.01)
    checkpoint.export(tmp_path / "adapter.npz", network.adapter)
    with np.load(tmp_path / "adapter.npz", allow_pickle=False) as arrays:
        adapter = dict(arrays)
    merged = Network(merge(tensors, adapter, "adapter.npz"), SHAPE, torch.device("cpu"))
    mel = torch.randn(1, 80, 100)
    with torch.no_grad():
        assert torch.allclose(merged.encode(mel, None), network.encode(mel, None), atol=0.02)

    again = student(tensors)
    again.load_adapter(adapter)
    assert all(torch.allclose(again.adapter[name], network.adapter[name], atol=1e-3) for name in network.adapter)


def test_the_search_keeps_timestamps_in_pairs_and_in_order():
    vocabulary = Vocabulary(SHAPE, [b"!", b" ", *[b"%d" % n for n in range(50254)]])
    rules, first = SearchRules(vocabulary), vocabulary.timestamp_0
    logits = torch.zeros(4, SHAPE.vocabulary)
    logits[:, first:] = -20.0  # else they win by their number
    rules.apply(logits, [[], [first], [first, 5, first + 50], [first, 5, first + 50, first + 50]], TIMESTAMPS)
    start, opened, closed, opened_again = torch.isfinite(logits)
    assert not start[:first].any() and start[first:].nonzero().max() == 50
    assert opened[5] and not opened[first:].any()
    assert not closed[5] and closed[vocabulary.end] and not closed[first + 49] and closed[first + 50]
    assert opened_again[5] and not opened_again[first:].any()


def test_prompts_are_those_of_the_model():
    english, base = Vocabulary(SHAPE, []), Vocabulary(Shape(512, 8, 6, 51865), [])
    assert english.prompt("de", NO_TIMESTAMPS) == [50257, 50362]
    assert base.prompt("de", TIMESTAMPS) == [50258, 50261, 50359]
    assert (english.timestamp_0, base.timestamp_0) == (50363, 50364)


def test_a_text_is_parted_into_the_tokens_that_were_joined_first():
    tokens = [bytes([byte]) for byte in range(256)] + [b" t", b" th", b" the", b"at", b"1", b"12"]
    vocabulary = Vocabulary(SHAPE, tokens)
    assert vocabulary.text(vocabulary.ids(" the that 12!")) == " the that 12!"
    assert [tokens[number] for number in vocabulary.ids(" the that")] == [b" the", b" th", b"at"]


def test_only_orders_that_came_out_right_become_lessons(tmp_path):
    rows = [{"file": "a/1.opus", "would_be_right": False, "text": "A tea."}, {"file": "a/1.opus", "would_be_right": True, "text": "A latte."},
            {"file": "a/2.opus", "would_be_right": True, "text": None}, {"clips": 2}]
    (tmp_path / "orders.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert orders_of([tmp_path / "orders.jsonl"]) == {"1.opus": "A latte."}


def test_the_teacher_gives_the_same_words_alone_and_in_a_batch(tensors):
    tokens = [b"%d" % n for n in range(50257)]
    tokens[7] = b" "
    teacher = Teacher(student(tensors, rank=0), Vocabulary(SHAPE, tokens))
    mels = torch.from_numpy(np.random.default_rng(2).standard_normal((2, 80, 2 * FULL_UNITS)).astype(np.float32))
    together = teacher.lessons(mels, ["en", "en"], TIMESTAMPS)
    alone = [teacher.lessons(mel[None], ["en"], TIMESTAMPS)[0] for mel in mels]
    assert [lesson and lesson[TIMESTAMPS][1] for lesson in together] == [lesson and lesson[TIMESTAMPS][1] for lesson in alone]


def test_a_window_is_counted_in_units_of_20_ms():
    assert (own_units(SHORTEST_SAMPLES), own_units(321)) == (55, 2)
    assert log_mel(np.zeros(16_000, np.float32), torch.ones(80, 201)).shape == (80, 3000)


def test_the_clips_kept_back_are_written_with_their_words(tmp_path):
    sound = 0.1 * np.random.default_rng(3).standard_normal(16_000)
    lines = []
    for number in range(8):
        soundfile.write(tmp_path / f"{number}.wav", sound, 16_000)
        lines.append({"audio": f"{number}.wav", "source": "shop", **({"text": f"number {number}"} if number % 2 else {})})
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = tmp_path / "out"
    arguments = ["write", "--audio", str(tmp_path), "--test-only", "shop", "--take", "joined=0", "room=0", "telephone=0", "cut=0"]
    evaluate.main([*arguments, "--out", str(out)])
    written = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert sorted(line["text"] for line in written) == ["number 1", "number 3", "number 5", "number 7"]
    assert len(list(out.glob("*.wav"))) == 8 and soundfile.info(out / written[0]["audio"]).samplerate == 16_000


def test_scores():
    assert scores.normalised("It's 5th of May, 12!", "en") == "itsfiveofmayonetwo"
    assert scores.distance("kitten", "sitting") == 3
    assert scores.is_runaway("a a a a a a a", "a") and not scores.is_runaway("a b", "a")
    low, high = scores.wilson(0, 500)
    assert low == 0 and high == pytest.approx(0.76, abs=0.01)
    rate, low, high = scores.rate_interval([1, 0, 1, 0], [2, 2, 2, 2])
    assert low <= rate == 25 <= high
