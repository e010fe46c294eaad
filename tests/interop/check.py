#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do others read what leeway writes, and leeway what they write?

    tests/interop/check.py [--build DIR] [--large] [NAME ...]

Trains a small model with the leeway in DIR (default: the current folder, after `make` and `make
tests/logits`), exports it in every format, and asks the libraries that are installed: safetensors,
transformers (with torch), onnx, onnxruntime, tensorboard. Nothing is downloaded. A check whose
library is missing is skipped with a word. --large adds a model of 124M parameters: time and memory
of its exports, and its logits.

The last line counts; exit status 1: something failed, 77: nothing could be checked.
"""
import argparse
import csv
import glob
import importlib.util
import json
import logging
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
TINY = "d_model=64 num_layers=3 num_heads=4 max_seq_len=48 batch_size=4".split()


class Skip(Exception):
    pass


def need(*names):
    """The modules of these names, or Skip."""
    found = []
    for name in names:
        try:
            found.append(importlib.import_module(name))
        except ImportError as why:
            raise Skip(f"no {name.split('.')[0]} ({why})") from why
    return found


class Bench:
    """A folder to work in, and leeway to work with."""

    def __init__(self, build, folder):
        self.build, self.folder = os.path.abspath(build), folder

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def run(self, *words):
        """Run a program of the build; (seconds, peak KiB). Its own words only when it fails."""
        program = os.path.join(self.build, words[0])
        begin = time.monotonic()
        with open(self.path("said"), "w+b") as said:
            child = subprocess.Popen([program, *words[1:]], cwd=self.folder, stdout=said,
                                     stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            text = said.read().decode(errors="replace")
        if child.returncode:
            raise RuntimeError(f"{' '.join(words)}: exit code {child.returncode}\n{text}")
        return time.monotonic() - begin, usage.ru_maxrss

    def leeway(self, *words):
        return self.run("leeway", *words)

    def export(self, run, form):
        """A run in this format, written once; where it is."""
        target = {"safetensors": "hf", "onnx": "model.onnx"}.get(form, form)
        target = self.path("out", run, target)
        if not os.path.exists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            try:
                self.leeway("export", self.path("runs", run), f"--{form}", target)
            except RuntimeError as why:
                if "needs protobuf-c" in str(why):
                    raise Skip("this leeway was built without protobuf-c") from why
                raise
        return target

    def logits(self, folder, *shape):
        """What leeway computes: tokens and logits."""
        (numpy,) = need("safetensors.numpy")
        out = self.path("logits.safetensors")
        self.run("tests/logits", folder, out, *map(str, shape))
        both = numpy.load_file(out)
        return both.get("input_ids", both.get("pixel_values")), both["logits"]


class Listener(logging.Handler):
    """Collects what a library warns of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.heard = []

    def emit(self, record):
        self.heard.append(record.getMessage())


def quietly(what):
    """what(), which must not warn of anything by logging or by warnings."""
    listener = Listener()
    log = logging.getLogger("transformers")
    log.addHandler(listener)
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            result = what()
    finally:
        log.removeHandler(listener)
    said = listener.heard + [str(w.message) for w in heard if "transformers" in str(w.filename)]
    assert not said, f"warnings: {said}"
    return result


def close(a, b, most, what):
    gap = float(abs(a - b).max())
    assert a.shape == b.shape, f"{what}: shape {a.shape}, not {b.shape}"
    assert gap <= most, f"{what}: {gap:.3g} apart, more than {most:g}"
    return f"{what} {gap:.2g} apart (at most {most:g})"


def check_safetensors(bench):
    (library,) = need("safetensors")
    folder = bench.export("small", "safetensors")
    with library.safe_open(os.path.join(folder, "model.safetensors"), "numpy") as file:
        names = list(file.keys())
        assert len(names) == 4 + 12 * 3, names
        assert file.metadata()["format"] == "pt"
        assert file.get_tensor("transformer.h.0.attn.c_attn.weight").shape == (64, 192)
    return f"{len(names)} tensors"


def check_transformers(bench):
    transformers, torch = need("transformers", "torch")
    folder = bench.export("small", "safetensors")
    model = quietly(lambda: transformers.AutoModelForCausalLM.from_pretrained(folder).eval())
    tokenizer = quietly(lambda: transformers.AutoTokenizer.from_pretrained(folder))
    text = "Grüße \u2026\t\x00 \N{SAILBOAT} 42"
    ids = tokenizer(text)["input_ids"]
    assert ids == list(text.encode()), ids
    assert tokenizer.decode(ids) == text
    tokens, ours = bench.logits(folder, 2, 48)
    with torch.no_grad():
        theirs = model(torch.tensor(tokens, dtype=torch.long)).logits.numpy()
    return close(theirs, ours, 1e-5, "logits of our model in transformers")


def check_from_transformers(bench):
    """Their folders into leeway: dtypes, shards, a vocabulary that is no multiple of anything."""
    transformers, torch = need("transformers", "torch")
    said = []
    torch.manual_seed(1)
    config = transformers.GPT2Config(vocab_size=211, n_positions=40, n_embd=48, n_layer=3, n_head=4)
    for name, dtype, shard in (("fp32", torch.float32, "1GB"), ("fp16", torch.float16, "1GB"),
                               ("bf16", torch.bfloat16, "1GB"), ("shards", torch.float32, "100KB")):
        model = transformers.GPT2LMHeadModel(config).eval().to(dtype)
        folder = bench.path(f"theirs-{name}")
        model.save_pretrained(folder, max_shard_size=shard)
        assert (shard == "1GB") == os.path.exists(os.path.join(folder, "model.safetensors"))
        tokens, ours = bench.logits(folder, 2, 40)
        with torch.no_grad():
            theirs = model.float()(torch.tensor(tokens, dtype=torch.long)).logits.numpy()
        said.append(close(ours, theirs, 1e-5, name))
    return "logits of their models in leeway: " + ", ".join(said)


def check_classifiers(bench):
    """A ViT and a GPT-2 with classes: theirs into leeway, ours into transformers and ONNX Runtime."""
    transformers, torch = need("transformers", "torch")
    torch.manual_seed(2)
    small = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 48,
             "intermediate_size": 96, "image_size": 24, "patch_size": 8, "num_labels": 5}
    gpt2 = {"vocab_size": 97, "n_positions": 20, "n_embd": 48, "n_layer": 2, "n_head": 4,
            "num_labels": 3, "pad_token_id": 96, "bos_token_id": 95, "eos_token_id": 95}
    said = []
    for name, kind, config in (
            ("ViT", transformers.ViTForImageClassification, transformers.ViTConfig(**small)),
            ("GPT-2", transformers.GPT2ForSequenceClassification,
             transformers.GPT2Config(**gpt2))):
        model = kind(config).eval()
        folder, saved = bench.path(f"classes-{name}"), bench.path(f"saved-{name}")
        model.save_pretrained(folder)
        given, ours = bench.logits(folder, 3, 12, saved)
        wanted = torch.tensor(given if name == "ViT" else given.astype("int64"))
        with torch.no_grad():
            said.append(close(ours, model(wanted).logits.numpy(), 1e-5, f"their {name} in leeway"))
            again = quietly(lambda: kind.from_pretrained(saved).eval())
            said.append(close(again(wanted).logits.numpy(), ours, 1e-5, "ours in transformers"))
        file = os.path.join(saved, "model.onnx")
        try:
            onnx, runtime = need("onnx", "onnxruntime")
        except Skip:
            continue
        if os.path.exists(file):
            onnx.checker.check_model(file, full_check=True)
            session = runtime.InferenceSession(file, providers=["CPUExecutionProvider"])
            (theirs,) = session.run(None, {session.get_inputs()[0].name: wanted.numpy()})
            said.append(close(theirs, ours, 1e-4, "in ONNX Runtime"))
    return ", ".join(said)


def check_onnx(bench):
    (onnx,) = need("onnx")
    file = bench.export("small", "onnx")
    onnx.checker.check_model(file, full_check=True)
    model = onnx.load(file)
    assert model.ir_version == 8 and [o.version for o in model.opset_import] == [17]
    return f"the checker passes it, {len(model.graph.node)} nodes"


def onnx_logits(bench, run, *shape):
    (runtime,) = need("onnxruntime")
    tokens, ours = bench.logits(bench.export(run, "safetensors"), *shape)
    session = runtime.InferenceSession(bench.export(run, "onnx"),
                                       providers=["CPUExecutionProvider"])
    (theirs,) = session.run(None, {"input_ids": tokens.astype("int64")})
    said = close(theirs, ours, 1e-4, "logits in ONNX Runtime")
    (theirs,) = session.run(None, {"input_ids": tokens[:1, :5].astype("int64")})
    close(theirs, ours[:1, :5], 1e-4, "fewer rows and shorter ones")
    return said


def check_onnxruntime(bench):
    return onnx_logits(bench, "small", 3, 48)


def check_tensorboard(bench):
    (reader,) = need("tensorboard.backend.event_processing.event_accumulator")
    folder = os.path.join(bench.export("small", "tensorboard"), "small")
    events = reader.EventAccumulator(folder, size_guidance={"scalars": 0})
    events.Reload()
    checked = 0
    with open(bench.path("runs", "small", "metrics.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    for tag in rows[0]:
        wanted = [(int(r["step"]), float(r[tag])) for r in rows if r[tag]]
        if tag in ("step", "time") or not wanted:
            continue
        got = [(s.step, s.value) for s in events.Scalars(tag)]
        assert len(got) == len(wanted), f"{tag}: {len(got)} values, not {len(wanted)}"
        for (step, value), (at, number) in zip(got, wanted):
            assert step == at and math.isclose(value, number, rel_tol=1e-6), (tag, step)
        checked += len(got)
    return f"all {checked} scalars are there"


def check_bundle(bench):
    need("numpy", "onnxruntime")
    folder = bench.export("small", "bundle")
    with open(os.path.join(folder, "metadata.json")) as file:
        metadata = json.load(file)
    assert metadata["formats"] == ["safetensors", "onnx"], metadata
    program = os.path.join(folder, "inference.py")
    done = subprocess.run([sys.executable, program, "The "], cwd=os.sep, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("The "), done.stderr
    lines = sum(1 for _ in open(program))
    missing = ", ".join(metadata["missing"]) or "nothing"
    return f"inference.py ({lines} lines) writes text; missing: {missing}"


def check_tasks(bench):
    """Runs of images and of texts with classes, out to everybody."""
    (runtime,) = need("onnxruntime")
    said = []
    for task, argument in (("vision_tiny", "artifacts/dashboard.png"), ("cls_tiny", "some words")):
        bench.leeway("train", "--plain", f"task={task}", "max_steps=20", "--run-dir",
                     f"runs/{task}")
        folder, bundle = bench.export(task, "safetensors"), bench.export(task, "bundle")
        given, ours = bench.logits(folder, 3, 12)
        given = given if task == "vision_tiny" else given.astype("int64")
        session = runtime.InferenceSession(bench.export(task, "onnx"),
                                           providers=["CPUExecutionProvider"])
        (theirs,) = session.run(None, {session.get_inputs()[0].name: given})
        said.append(close(theirs, ours, 1e-4, f"{task} in ONNX Runtime"))
        try:
            transformers, torch = need("transformers", "torch")
            kind = "Image" if task == "vision_tiny" else "Sequence"
            kind = getattr(transformers, f"AutoModelFor{kind}Classification")
            model = quietly(lambda: kind.from_pretrained(folder).eval())
            with torch.no_grad():
                theirs = model(torch.tensor(given)).logits.numpy()
            said.append(close(theirs, ours, 1e-5, "in transformers"))
        except Skip as why:
            said.append(str(why))
        if task == "vision_tiny" and (importlib.util.find_spec("PIL") is None or
                                      not os.path.exists(os.path.join(bundle, argument))):
            continue
        done = subprocess.run([sys.executable, "inference.py", argument], cwd=bundle, text=True,
                              capture_output=True, check=False)
        assert done.returncode == 0 and "%" in done.stdout, done.stderr
        said.append("inference.py runs")
    return ", ".join(said)


def train(bench):
    bench.leeway("train", "--plain", *TINY, "max_steps=40", "evaluate_every=10", "--run-dir",
                 "runs/small")


def check_large(bench):
    """124M parameters: 3 s and the model plus 64 MB for each export."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "gpt2-bpe")
    with open(bench.path("text"), "w") as file:
        file.writelines(f"line {i} of a text that is long enough for one window\n"
                        for i in range(400))
    bench.leeway("train", "--plain", "d_model=768", "num_layers=12", "num_heads=12",
                 "max_seq_len=1024", "batch_size=1", "max_steps=1", "data=text",
                 f"tokenizer={source}", "evaluate_every=off", "validation_split=0",
                 "--run-dir", "runs/large")
    model = glob.glob(bench.path("runs/large/checkpoints/*/model.safetensors"))[0]
    size = os.path.getsize(model)
    said = [f"a model of {size / 1e6:.0f} MB"]
    for form, target in (("safetensors", "hf"), ("onnx", "model.onnx")):
        target = bench.path("out", "large", target)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        took = []
        for _ in range(3):
            seconds, peak = bench.leeway("export", bench.path("runs/large"), f"--{form}", target)
            took.append(seconds)
        assert peak * 1024 < size + (64 << 20), f"{form}: {peak} KiB"
        said.append(f"{form} in {sorted(took)[1]:.2f} s (median of 3) and {peak * 1024 / 1e6:.0f} MB")
    try:
        said.append(onnx_logits(bench, "large", 1, 64))
    except Skip as why:
        said.append(str(why))
    return "; ".join(said)


CHECKS = {
    "safetensors": check_safetensors,
    "transformers": check_transformers,
    "from-transformers": check_from_transformers,
    "classifiers": check_classifiers,
    "onnx": check_onnx,
    "onnxruntime": check_onnxruntime,
    "tensorboard": check_tensorboard,
    "bundle": check_bundle,
    "tasks": check_tasks,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=".")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CHECKS))
    wanted = parser.parse_args()
    checks = {n: CHECKS[n] for n in (wanted.names or CHECKS)}
    if wanted.large:  # first: a child's peak begins with what its parent has loaded
        checks = {"large": check_large, **checks}
    count = {"ok": 0, "skipped": 0, "FAILED": 0}
    folder = tempfile.mkdtemp(prefix="leeway-interop-")
    try:
        bench = Bench(wanted.build, folder)
        train(bench)
        for name, check in checks.items():
            try:
                state, said = "ok", check(bench)
            except Skip as why:
                state, said = "skipped", why
            except Exception as why:  # every library has its own
                state, said = "FAILED", f"{type(why).__name__}: {why}"
            count[state] += 1
            print(f"{state:8} {name}: {said}", flush=True)
    finally:
        shutil.rmtree(folder)
    print(", ".join(f"{n} {state}" for state, n in count.items()))
    return 1 if count["FAILED"] else 0 if count["ok"] else 77


if __name__ == "__main__":
    sys.exit(main())
