# SPDX-License-Identifier: MIT
"""The loss curve of a run on real text beside PyTorch's: same weights to begin with, same batches in
the same order, same learning rates.

usage: curve.py LEEWAY TEXT [--device cuda|cpu] [--precision bf16|fp32] [--steps 500]
       [--layers 6] [--width 384] [--heads 6] [--length 256] [--batch 32] [--rate 1e-3]
       [--starts 3] [--keep FOLDER] [KEY=VALUE ...]

LEEWAY is the program; KEY=VALUE are further fields for it, such as compile_mode=reduce-overhead.
The script draws GPT-2's initial weights into a folder of Hugging Face's layout, which leeway begins
with (init_from) and PyTorch too. leeway reads TEXT byte by byte, unshuffled; window i is bytes
i T to i T + T, and PyTorch gets the same ones, with the learning rates that leeway wrote into
metrics.csv. PyTorch runs twice, in bf16 (autocast) and in fp32: how far those two are apart is what
a rounding alone does to a curve, and what leeway's distance is to be compared with. Both grow from
step to step as chance has it, so several starts are looked at.

Prints the first start's curves, a line of distances for each start, and their means. Exits 1 where
leeway's mean distance is more than twice what PyTorch's two runs differ by, and more than 0.5 % of
the loss.
"""
import argparse
import csv
import json
import math
import os
import struct
import subprocess
import sys
import tempfile

import torch
from torch.nn import functional as F

VOCABULARY = 257  # bytes, and a separator that one text never needs


def draw(a, start):
    """GPT-2's initialisation, by Hugging Face's names; matrices are (in, out)."""
    generator = torch.Generator().manual_seed(1234 + start)
    c, out = a.width, {}

    def normal(name, shape, std):
        out[name] = torch.randn(shape, generator=generator) * std

    def constant(name, size, value):
        out[name] = torch.full((size,), value)

    normal("transformer.wte.weight", (VOCABULARY, c), 0.02)
    normal("transformer.wpe.weight", (a.length, c), 0.02)
    for i in range(a.layers):
        h = f"transformer.h.{i}."
        for part, n_in, n_out, std in (
            ("attn.c_attn", c, 3 * c, 0.02),
            ("attn.c_proj", c, c, 0.02 / math.sqrt(2 * a.layers)),
            ("mlp.c_fc", c, 4 * c, 0.02),
            ("mlp.c_proj", 4 * c, c, 0.02 / math.sqrt(2 * a.layers)),
        ):
            normal(h + part + ".weight", (n_in, n_out), std)
            constant(h + part + ".bias", n_out, 0.0)
        for norm in ("ln_1", "ln_2"):
            constant(h + norm + ".weight", c, 1.0)
            constant(h + norm + ".bias", c, 0.0)
    constant("transformer.ln_f.weight", c, 1.0)
    constant("transformer.ln_f.bias", c, 0.0)
    return out


def save(a, weights, folder):
    os.makedirs(folder, exist_ok=True)
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in weights.items():
        values = tensor.contiguous().numpy().astype("<f4").tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(values)],
        }
        data += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(
            {
                "architectures": ["GPT2LMHeadModel"],
                "model_type": "gpt2",
                "activation_function": "gelu_new",
                "vocab_size": VOCABULARY,
                "n_positions": a.length,
                "n_ctx": a.length,
                "n_embd": a.width,
                "n_layer": a.layers,
                "n_head": a.heads,
                "layer_norm_epsilon": 1e-5,
                "tie_word_embeddings": True,
            },
            f,
        )


def run_leeway(a, folder, run):
    command = [
        a.leeway, "train", "--plain", "--run-dir", run,
        "task=lm", f"data={os.path.abspath(a.text)}", "tokenizer=bytes", "shuffle=false",
        f"init_from={folder}", "validation_split=0", "evaluate_every=off", "sample_every=off",
        f"max_seq_len={a.length}", f"batch_size={a.batch}", f"max_steps={a.steps}",
        f"learning_rate={a.rate}", "weight_decay=0.1", "beta1=0.9", "beta2=0.95",
        "max_grad_norm=1.0", "dropout=0", f"device={a.device}", f"precision={a.precision}",
        *a.fields,
    ]
    print("+", " ".join(command), file=sys.stderr)
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    with open(os.path.join(run, "metrics.csv"), newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["train/loss"]]
    return [float(r["train/loss"]) for r in rows], [float(r["learning_rate"]) for r in rows]


def forward(a, w, x, y):
    b, t = x.shape
    c = a.width

    def linear(h, name):
        return F.linear(h, w[name + ".weight"].T, w[name + ".bias"])

    def norm(h, name):
        return F.layer_norm(h, (c,), w[name + ".weight"], w[name + ".bias"], 1e-5)

    def attend(q, k, v):
        if hasattr(F, "scaled_dot_product_attention"):
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        s = q @ k.transpose(-2, -1) * q.size(-1) ** -0.5  # before PyTorch 2
        future = torch.ones(t, t, dtype=torch.bool, device=x.device).triu(1)
        return s.masked_fill(future, float("-inf")).softmax(-1) @ v

    h = w["transformer.wte.weight"][x] + w["transformer.wpe.weight"][:t]
    for i in range(a.layers):
        at = f"transformer.h.{i}."
        qkv = linear(norm(h, at + "ln_1"), at + "attn.c_attn").view(b, t, 3, a.heads, c // a.heads)
        o = attend(*qkv.permute(2, 0, 3, 1, 4)).transpose(1, 2).reshape(b, t, c)
        h = h + linear(o, at + "attn.c_proj")
        o = F.gelu(linear(norm(h, at + "ln_2"), at + "mlp.c_fc"), approximate="tanh")
        h = h + linear(o, at + "mlp.c_proj")
    logits = norm(h, "transformer.ln_f") @ w["transformer.wte.weight"].T
    return F.cross_entropy(logits.float().flatten(0, 1), y.flatten())


def run_torch(a, weights, rates, precision):
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    w = {k: v.clone().to(a.device).requires_grad_() for k, v in weights.items()}
    adamw = torch.optim.AdamW(
        [
            {"params": [v for v in w.values() if v.dim() > 1], "weight_decay": 0.1},
            {"params": [v for v in w.values() if v.dim() == 1], "weight_decay": 0.0},
        ],
        lr=a.rate, betas=(0.9, 0.95), eps=1e-8,
    )
    with open(a.text, "rb") as f:
        text = torch.frombuffer(bytearray(f.read()), dtype=torch.uint8).long()
    windows = (len(text) - 1) // a.length
    losses = []
    for step, rate in enumerate(rates):
        first = step % (windows // a.batch) * a.batch * a.length
        rows = torch.stack([
            text[first + r * a.length:first + (r + 1) * a.length + 1] for r in range(a.batch)
        ]).to(a.device)
        for group in adamw.param_groups:
            group["lr"] = rate
        with torch.autocast(a.device, dtype=torch.bfloat16, enabled=precision == "bf16"):
            loss = forward(a, w, rows[:, :-1], rows[:, 1:])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(w.values(), 1.0)
        adamw.step()
        adamw.zero_grad(set_to_none=True)
        losses.append(loss.detach())
    return [float(x) for x in losses]


def distance(x, y):
    return sum(abs(p - q) for p, q in zip(x, y)) / len(x)


def read_args():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("leeway")
    p.add_argument("text")
    p.add_argument("fields", nargs="*")
    p.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    p.add_argument("--precision", default="bf16", choices=("bf16", "fp32"))
    for name, value in (("steps", 500), ("layers", 6), ("width", 384), ("heads", 6),
                        ("length", 256), ("batch", 32)):
        p.add_argument("--" + name, type=int, default=value)
    p.add_argument("--rate", type=float, default=1e-3)
    p.add_argument("--starts", type=int, default=3)
    p.add_argument("--keep")
    return p.parse_intermixed_args()


def run_start(a, start, place):
    """The three curves of one start; PyTorch's in bf16 is None on a CPU."""
    weights = draw(a, start)
    save(a, weights, os.path.join(place, "start"))
    ours, rates = run_leeway(a, os.path.join(place, "start"), os.path.join(place, "run"))
    half = run_torch(a, weights, rates, "bf16") if a.device == "cuda" else None
    return ours, half, run_torch(a, weights, rates, "fp32")


def show_curves(ours, half, full, theirs):
    print("step    leeway     torch" + ("  torch fp32" if half else "") + "  difference")
    for i, x in enumerate(ours):
        if i < 10 or (i + 1) % 25 == 0:
            more = f"  {full[i]:10.5f}" if half else ""
            print(f"{i + 1:4d} {x:9.5f} {theirs[i]:9.5f}{more}  {x - theirs[i]:+10.5f}")


def main():
    a = read_args()
    far, noise, drift, level = [], [], [], []
    with tempfile.TemporaryDirectory() as temporary:
        for start in range(a.starts):
            place = os.path.join(os.path.abspath(a.keep) if a.keep else temporary, str(start))
            ours, half, full = run_start(a, start, place)
            theirs = half if a.precision == "bf16" and half else full
            last = max(1, len(ours) // 10)
            means = [sum(x[-last:]) / last for x in (ours, theirs)]
            if not start:
                print(f"torch {torch.__version__}, leeway in {a.precision} on {a.device}, "
                      f"{len(ours)} steps")
                show_curves(ours, half, full, theirs)
            far.append(distance(ours, theirs))
            noise.append(distance(half, full) if half else 0.0)
            drift.append(100 * (means[0] / means[1] - 1))
            level.append(means[1])
            print(f"start {start}: mean |leeway - torch| {far[-1]:.6f}, of the first 20 steps "
                  f"{distance(ours[:20], theirs[:20]):.6f}; torch's bf16 to its fp32 "
                  f"{noise[-1]:.6f}; last tenth's mean loss {drift[-1]:+.3f} %", flush=True)
    far, noise, drift, level = (sum(x) / a.starts for x in (far, noise, drift, level))
    print(f"all: {far:.6f}, torch's own {noise:.6f}, last tenth {drift:+.3f} %")
    sys.exit(far > 2 * noise and far > 0.005 * level)


main()
