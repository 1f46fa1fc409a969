"""What compare.py and settings.py share: engines behind pipes, clips, rounds, and the figures made of them."""
import dataclasses
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import wave

import numpy as np
from faster_whisper.audio import decode_audio

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
RATE_HZ = 16_000
INDEXES = (ROOT / "audio_fixtures/index.jsonl", ROOT / "audio_fixtures/recorded/index.jsonl")
# OpenMP's threads spin for 200 ms after their work; they must not take the core from the engine that comes next.
REST_SECONDS = 0.25
RESAMPLES = 2_000


# --- clips ------------------------------------------------------------------------------------------------------------------------------

@dataclasses.dataclass
class Clip:
    name: str
    text: str
    seconds: float
    path: pathlib.Path  # 16 kHz mono WAV: no engine pays for another one's container


def clips(manifests, shortest, longest, folder):
    """Clips with words that last between `shortest` and `longest` seconds. Manifests have {"file" or "audio", "text"} a line."""
    found = []
    for manifest in manifests:
        for entry in map(json.loads, manifest.read_text(encoding="utf-8").splitlines()):
            source = manifest.parent / (entry.get("file") or entry["audio"])
            if not entry["text"] or not shortest - 1 <= entry.get("seconds", shortest) <= longest + 1:
                continue
            samples = decode_audio(str(source), sampling_rate=RATE_HZ)
            seconds = len(samples) / RATE_HZ
            if shortest <= seconds <= longest:
                path = folder / f"{len(found):03}.wav"
                write_wav(path, samples)
                found.append(Clip(source.name, entry["text"], seconds, path))
    if not found:
        raise SystemExit(f"no clip of {shortest} to {longest} s in {', '.join(map(str, manifests))}")
    return found


def write_wav(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


# --- engines ----------------------------------------------------------------------------------------------------------------------------

class Peer:
    """worker.py with one engine in it."""

    def __init__(self, label, how):
        self.label, self.threads = label, how["threads"]
        self._process = subprocess.Popen([sys.executable, str(HERE / "worker.py"), json.dumps(how)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, env=offline())
        self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.label} stopped with exit status {self._process.wait()}")
        return json.loads(line)

    def hear(self, path):
        begun, work = time.perf_counter(), cpu_seconds(self._process.pid)
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        text = self._answer()["text"]
        return text, time.perf_counter() - begun, cpu_seconds(self._process.pid) - work

    def close(self):
        self._process.stdin.close()
        self._process.wait()


class Kioskd:
    """The program itself, hearing one file after the other.

    It takes all file names when it starts, so they are pipes: it opens the next one when it is done with the last, and goes on when the
    sound is in it. Its time holds reading the file, voice activity and Whisper.
    """

    def __init__(self, label, program, model, runs, folder, threads=1):
        self.label, self.threads = label, threads
        self._pipes = [folder / f"{model}-{number}.wav" for number in range(runs)]
        for pipe in self._pipes:
            os.mkfifo(pipe)
        config = folder / f"{model}-{threads}.toml"
        config.write_text(f'[paths]\nshop = "{ROOT}/config"\nmodels = "{ROOT}/models"\ndata = "{folder}/data"\n'
                          f'[speech]\nmodel = "{model}"\nthreads = {threads}\n')
        self._process = subprocess.Popen([str(program), "transcribe", "--json", "--config", str(config), *map(str, self._pipes)],
                                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def hear(self, path):
        sound, pipe = path.read_bytes(), self._pipes.pop(0)
        # Not blocking, since a program that could not start would be waited for without end.
        while True:
            try:
                end = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
                break
            except OSError:
                if self._process.poll() is not None:
                    raise SystemExit(f"{self.label} stopped with exit status {self._process.returncode}") from None
                time.sleep(0.005)
        os.set_blocking(end, True)
        begun, work = time.perf_counter(), cpu_seconds(self._process.pid)
        with os.fdopen(end, "wb") as file:
            file.write(sound)
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise SystemExit(f"{self.label}: {answer['error']}")
        return answer["text"], time.perf_counter() - begun, cpu_seconds(self._process.pid) - work

    def close(self):
        self._process.terminate()
        self._process.wait()


def offline():
    return os.environ | {"HF_HUB_OFFLINE": "1"}


def cpu_seconds(pid):
    """Processor time of all threads of another process, to the nanosecond: Linux' clock number for it, as clock_getcpuclockid makes it."""
    return time.clock_gettime((~pid << 3) | 2)


def pin_to(cores):
    """This process and all that it starts run on the first `cores` cores that it may use."""
    chosen = sorted(os.sched_getaffinity(0))[:cores]
    os.sched_setaffinity(0, chosen)
    return chosen


# --- rounds and figures -----------------------------------------------------------------------------------------------------------------

@dataclasses.dataclass
class Heard:
    text: str
    ms: float
    cpu_ms: float


def rounds(engines, sounds, count):
    """What each engine makes of each clip, by label. Engines take turns clip by clip, so that what else the machine does hits all alike;
    of `count` rounds the quickest counts, since other work only adds time."""
    heard = {engine.label: [None] * len(sounds) for engine in engines}
    for engine in engines:
        engine.hear(sounds[0].path)  # the first one fills caches and makes threads
    for turn in range(count):
        for number, clip in enumerate(sounds):
            first = (number + turn) % len(engines)
            for engine in engines[first:] + engines[:first]:
                time.sleep(REST_SECONDS)
                text, wall, cpu = engine.hear(clip.path)
                before = heard[engine.label][number]
                heard[engine.label][number] = Heard(
                    text, min(1e3 * wall, before.ms if before else np.inf), min(1e3 * cpu, before.cpu_ms if before else np.inf))
            print(f"\rround {turn + 1} of {count}, clip {number + 1} of {len(sounds)} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return heard


def runs_needed(sounds, count):
    return 1 + count * len(sounds)


def words(text):
    """Lower case, without marks; one spelling of the word that the British and the American Whisper disagree about most."""
    return re.findall(r"[a-z0-9']+", text.lower().replace("’", "'").replace("yoghurt", "yogurt"))


def edits(expected, found):
    """Levenshtein distance of two lists of words."""
    row = list(range(len(found) + 1))
    for i, word in enumerate(expected, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(found, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


def word_error_rate(sounds, heard):
    return sum(edits(words(clip.text), words(one.text)) for clip, one in zip(sounds, heard)) / sum(len(words(c.text)) for c in sounds)


def paired_ratio(slower, quicker):
    """Median over the clips of slower / quicker, with the 95 % interval of a bootstrap over clips."""
    ratios = [a / b for a, b in zip(slower, quicker)]
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return {"median": statistics.median(ratios), "low": medians[round(0.025 * RESAMPLES)], "high": medians[round(0.975 * RESAMPLES) - 1]}


def figures(engines, sounds, heard, against):
    """A dictionary an engine; ratios are to the engine labelled `against`."""
    base, out = heard[against], []
    for engine in engines:
        own = heard[engine.label]
        ms = [one.ms for one in own]
        out.append({
            "engine": engine.label, "threads": engine.threads, "clips": len(sounds),
            "ms_median": statistics.median(ms), "ms_p95": float(np.percentile(ms, 95)),
            "cpu_ms_median": statistics.median(one.cpu_ms for one in own),
            "ratio": paired_ratio(ms, [one.ms for one in base]),
            "cpu_ratio": paired_ratio([one.cpu_ms for one in own], [one.cpu_ms for one in base]),
            "wer": word_error_rate(sounds, own),
        })
    return out


def print_table(rows):
    print(f"{'engine':<44} {'threads':>7} {'ms':>7} {'p95':>7} {'CPU ms':>7}  {'times slower':>22}  {'by CPU time':>7}  {'WER, %':>6}")
    for row in rows:
        ratio = row["ratio"]
        interval = f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"
        print(f"{row['engine']:<44} {row['threads']:>7} {row['ms_median']:>7.0f} {row['ms_p95']:>7.0f} {row['cpu_ms_median']:>7.0f}  "
              f"{interval:>22}  {row['cpu_ratio']['median']:>11.2f}  {100 * row['wer']:>6.1f}")


def add_options(parser):
    parser.add_argument("--manifest", type=pathlib.Path, action="append",
                        help="clips, a JSON object a line (default: audio_fixtures and recorded/)")
    parser.add_argument("--shortest", type=float, default=1.9, metavar="SECONDS", help="default: %(default)s")
    parser.add_argument("--longest", type=float, default=4.0, metavar="SECONDS", help="default: %(default)s")
    parser.add_argument("--limit", type=int, metavar="CLIPS", help="take every n-th clip, so that so many are left")
    parser.add_argument("--rounds", type=int, default=2, help="of which the quickest counts (default: %(default)s)")
    parser.add_argument("--cores", type=int, default=2, help="that all engines share (default: %(default)s)")
    parser.add_argument("--one-thread", action="store_true",
                        help="leave out the rows with two threads: where cores are busy, threads that wait for each other spin")
    parser.add_argument("--json", action="store_true", help="a JSON object an engine, and one of the run as the last line")


class Run:
    """Clips and circumstances of one run. `engines` is called with the clips, a folder for pipes and the number of hearings."""

    def __init__(self, options):
        self.options, self.cores = options, pin_to(options.cores)
        self._folder = tempfile.TemporaryDirectory(prefix="bench-speech-")
        self.folder = pathlib.Path(self._folder.name)
        sounds = clips(options.manifest or INDEXES, options.shortest, options.longest, self.folder)
        step = len(sounds) / min(options.limit or len(sounds), len(sounds))
        self.clips = [sounds[int(number * step)] for number in range(round(len(sounds) / step))]
        self.hearings = runs_needed(self.clips, options.rounds)

    def measure(self, engines, against):
        load = os.getloadavg()[0]
        try:
            heard = rounds(engines, self.clips, self.options.rounds)
        finally:
            for engine in engines:
                engine.close()
        rows = figures(engines, self.clips, heard, against)
        about = {"clips": len(self.clips), "seconds": sum(clip.seconds for clip in self.clips), "rounds": self.options.rounds,
                 "cores": self.cores, "load_before": load, "load_after": os.getloadavg()[0], "processor": processor()}
        return rows, about, heard

    def show(self, rows, about, heard):
        if self.options.json:
            for row in rows:
                texts = {clip.name: one.text for clip, one in zip(self.clips, heard[row["engine"]])}
                print(json.dumps(row | {"texts": texts}, ensure_ascii=False))
            print(json.dumps(about, ensure_ascii=False))
            return
        print_table(rows)
        print(f"{about['clips']} clips, {about['seconds']:.0f} s of speech, quickest of {about['rounds']} rounds; {about['processor']}, "
              f"{len(about['cores'])} cores, load {about['load_before']:.1f} to {about['load_after']:.1f}")


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return os.uname().machine
