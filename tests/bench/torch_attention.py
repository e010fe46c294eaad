# SPDX-License-Identifier: MIT
"""PyTorch's attention through cuDNN beside leeway's, on one GPU.

usage: torch_attention.py [ENGINE [ROUNDS]] [--backend cudnn|flash|efficient|math]

Without ENGINE it prints PyTorch's times alone, as JSON. With the path of leeway-engine it measures
both in turns, ROUNDS times (3), and prints a line a shape: microseconds of forward and backward,
medians over the rounds, and ours divided by PyTorch's.

Both are measured alike: 20 calls over 4 rotating sets of inputs are recorded in a CUDA graph; a
measurement replays it for at least 20 ms and waits once; the median of 15 counts. Inputs are bf16
normal numbers, q, k and v views of one packed (B, S, 3, H, D) tensor. PyTorch's backward is
autograd.grad, with the gradients of q, k and v in tensors of their own.
"""
import collections
import json
import statistics
import subprocess
import sys
import time

import torch
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

SHAPES = [(8, 12, 1024, 64, True), (64, 12, 1024, 64, True), (128, 12, 197, 64, False)]
SETS, CALLS, TIMES, AT_LEAST = 4, 20, 15, 0.02
BACKENDS = {
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "math": SDPBackend.MATH,
}


def seconds_of(call):
    """Of one call; call(i) uses the i-th set. Runs on the stream of the caller, which must be the
    one that the forward pass ran on: autograd takes a backward pass back to it."""
    stream = torch.cuda.current_stream()
    for i in range(SETS):
        call(i)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    kept = collections.deque(maxlen=SETS)  # so that as many outputs rotate as inputs
    with torch.cuda.graph(graph, stream=stream):
        for i in range(CALLS):
            kept.append(call(i % SETS))

    def measure(rounds):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(rounds):
            graph.replay()
        torch.cuda.synchronize()
        return (time.perf_counter() - start) / rounds / CALLS

    measure(1)
    rounds = 1 + int(AT_LEAST / CALLS / measure(1))
    result = statistics.median(measure(rounds) for _ in range(TIMES))
    del kept, graph
    return result


def measure_shape(batch, heads, length, dim, causal):
    qkv = [
        torch.randn(batch, length, 3, heads, dim, device="cuda", dtype=torch.bfloat16)
        for _ in range(SETS)
    ]
    parts = [[p.detach().requires_grad_() for p in x.permute(2, 0, 3, 1, 4)] for x in qkv]
    douts = [
        torch.randn(batch, length, heads, dim, device="cuda", dtype=torch.bfloat16).transpose(1, 2)
        for _ in range(SETS)
    ]

    def attend(i):
        return F.scaled_dot_product_attention(*parts[i], is_causal=causal)

    def forward(i):
        with torch.no_grad():
            return attend(i)

    forward_s = seconds_of(forward)
    outs = [attend(i) for i in range(SETS)]
    backward_s = seconds_of(
        lambda i: torch.autograd.grad(outs[i], parts[i], douts[i], retain_graph=True)
    )
    flops = 4 * batch * heads * dim * length**2 * (0.5 if causal else 1)
    return {
        "batch": batch,
        "heads": heads,
        "length": length,
        "head_dim": dim,
        "causal": causal,
        "forward_us": forward_s * 1e6,
        "backward_us": backward_s * 1e6,
        "forward_tflops": flops / forward_s * 1e-12,
        "backward_tflops": 2.5 * flops / backward_s * 1e-12,
    }


def measure_torch(backend):
    with torch.cuda.stream(torch.cuda.Stream()), sdpa_kernel(BACKENDS[backend]):
        return [measure_shape(*shape) for shape in SHAPES]


def measure_leeway(engine):
    shapes = ",".join(
        f"{b}x{h}x{s}x{d}:{'causal' if c else 'full'}" for b, h, s, d, c in SHAPES
    )
    done = subprocess.run(
        [engine, "bench", "attention", "device=cuda", "shapes=" + shapes, "--json"],
        check=True, stdout=subprocess.PIPE,
    )
    return json.loads(done.stdout)["shapes"]


def main(args):
    backend = "cudnn"
    if "--backend" in args:
        at = args.index("--backend")
        backend = args[at + 1]
        del args[at:at + 2]
    if not args:
        report = {
            "device": torch.cuda.get_device_name(),
            "torch": torch.__version__,
            "cudnn": torch.backends.cudnn.version(),
            "attention": backend,
            "shapes": measure_torch(backend),
        }
        print(json.dumps(report, indent=2))
        return
    rounds = int(args[1]) if len(args) > 1 else 3
    turns = [(measure_leeway(args[0]), measure_torch(backend)) for _ in range(rounds)]
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__} ({backend}, cuDNN "
          f"{torch.backends.cudnn.version()}), microseconds, median of {rounds} rounds")
    print("shape                     forward: ours  torch  ratio   backward: ours  torch  ratio")
    for i, (b, h, s, d, c) in enumerate(SHAPES):
        line = f"B={b} H={h} S={s} D={d} {'causal' if c else 'full'}".ljust(32)
        for way in ("forward_us", "backward_us"):
            ours, theirs = (statistics.median(t[k][i][way] for t in turns) for k in (0, 1))
            ratios = [t[0][i][way] / t[1][i][way] for t in turns]
            line += f" {ours:8.1f} {theirs:8.1f} {statistics.median(ratios):6.3f}"
        print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
