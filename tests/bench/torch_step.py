# SPDX-License-Identifier: MIT
"""One PyTorch process that takes training steps of a GPT-2, for compare.sh.

usage: torch_step.py 124M|10.8M BATCH LENGTH STEPS [--compile]
Prints "ms_per_step_median N" and "ms_per_step_min N", as leeway-engine bench train does: forward,
backward, clipping to norm 1 and AdamW, fp32 on the CPU, after two steps that are not counted.
"""
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

# vocabulary, positions, width, layers, heads
SIZES = {"124M": (50257, 1024, 768, 12, 12), "10.8M": (256, 64, 384, 6, 6)}


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, t, c = x.shape
        parts = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, c // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        if hasattr(F, "scaled_dot_product_attention"):
            a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:  # before PyTorch 2
            s = q @ k.transpose(-2, -1) * q.size(-1) ** -0.5
            future = torch.ones(t, t, dtype=torch.bool).triu(1)
            a = s.masked_fill(future, float("-inf")).softmax(-1) @ v
        x = x + self.out(a.transpose(1, 2).reshape(b, t, c))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self, vocabulary, positions, width, layers, heads):
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(positions, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        for table in (self.tokens, self.places):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, x, y):
        h = self.tokens(x) + self.places(torch.arange(x.size(1)))
        for block in self.blocks:
            h = block(h)
        logits = self.norm(h) @ self.tokens.weight.T
        return F.cross_entropy(logits.flatten(0, 1), y.flatten())


def main():
    size, batch, length, steps = SIZES[sys.argv[1]], *map(int, sys.argv[2:5])
    torch.manual_seed(42)
    torch.set_num_threads(2)
    model = GPT(*size)
    step_model = torch.compile(model) if "--compile" in sys.argv else model
    adamw = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1)
    x, y = (torch.randint(size[0], (batch, length)) for _ in range(2))
    took = []
    for i in range(2 + steps):
        start = time.perf_counter()
        step_model(x, y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adamw.step()
        adamw.zero_grad(set_to_none=True)
        if i >= 2:
            took.append(1e3 * (time.perf_counter() - start))
    print("ms_per_step_median", round(statistics.median(took), 1))
    print("ms_per_step_min", round(min(took), 1))


main()
