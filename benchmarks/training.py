"""Speed of training ISLAMNet, from the bytes of a JPEG to the update, and where the time goes.

    python benchmarks/training.py            writes benchmarks/results/training.md

On a GPU: ResNet-101 at 448 pixels, four rotated views, batch of 32 source pictures, bf16, channels
last, fused SGD, eager and compiled, and with blocks computed again. Without a GPU it runs the
recipe `demo` at its own small size on the CPU and says so. The roof is what the device reaches in
large matrix products, measured here.
"""

from __future__ import annotations

import datetime
import platform
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

# a file in this folder has the name of the library, so search the folder above instead
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.runs import processor  # noqa: E402
from emomap import recipes  # noqa: E402
from emomap.method import build, load  # noqa: E402
from emomap.methods.islamnet import ISLAMNetModule  # noqa: E402
from emomap.nn.network import NetworkMethod, fixed_threads, normalise  # noqa: E402
from emomap.sample import EMOTIONS, Dataset, Sample  # noqa: E402
from emomap.training import Settings, Training  # noqa: E402
from emomap.training.batches import Pictures  # noqa: E402

RESULT = Path(__file__).parent / "results" / "training.md"
GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if GPU else "cpu")
STEPS = 30 if GPU else 8
RECIPE = recipes.load("paper" if GPU else "demo")
#: Kinds of operations, by words in their names; the first that fits counts.
KINDS = {
    "convolution": ("conv", "cudnn", "xmma", "implicit", "wgrad", "dgrad"),
    "batch norm": ("batch_norm", "bn_fw", "bn_bw"),
    "matrix product": ("gemm", "bmm", "addmm", "::mm", "cutlass"),
    "optimiser": ("Optimizer", "multi_tensor", "foreach", "fused_sgd"),
    "copies and layout": ("copy", "Memcpy", "nchw", "transpose", "contiguous", "cat", "index"),
    "elementwise and sums": ("elementwise", "threshold", "relu", "add", "mul", "div", "sum",
                             "mean", "clamp", "pool", "reduce", "triton"),
}  # fmt: skip


def main() -> None:
    device = torch.cuda.get_device_name() if GPU else f"{processor()}, 2 threads"
    lines = [
        "# Training ISLAMNet",
        "",
        f"{datetime.date.today()}, {device}, torch {torch.__version__}, "
        f"Python {platform.python_version()}. Written by `python benchmarks/training.py`.",
        "",
    ]
    if not GPU:
        lines += [
            "**No GPU here**: this is the recipe `demo` at toy size on two CPU threads. It says "
            "nothing about ResNet-101 at 448 pixels.",
            "",
        ]
    with fixed_threads(0 if GPU else 2), tempfile.TemporaryDirectory() as folder:
        data = photographs(Path(folder) / "photos")
        roof = matrix_rate()
        lines += [
            "| training | source pictures/s | views/s | GFLOP a picture | share of the roof "
            "| memory, GiB |",
            "|---|---|---|---|---|---|",
        ]
        for name, changes in variants().items():
            prepared = training(data, Path(folder) / name, changes)
            lines.append(measured(name, prepared, roof))
            print(lines[-1], flush=True)
        what = "bf16" if GPU else "float32"
        lines += [
            "",
            f"Pictures are JPEGs of 640x480 on the disk. The roof is {roof / 1e12:.2f} TFLOP/s, "
            f"what this device reaches in products of large matrices ({what}).",
            "",
            *kernels(training(data, Path(folder) / "profile", {})),
            "",
            f"Decoding, one core, 640x480 JPEG to {size()} pixels: {decoding(data):.0f} a second.",
        ]
    errors = ", ".join(f"{name} {gradient_error(name):.4f}" for name in ("small", "resnet18"))
    lines.append(
        f"Gradients in bf16 on the {DEVICE.type} against those in float32 on the CPU, relative "
        f"error at random weights: {errors}."
    )
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"written to {RESULT}")


def variants() -> dict[str, dict[str, Any]]:
    """Name -> numbers of the training that differ from the recipe."""
    again = {"checkpoint_blocks": True}
    if not GPU:
        return {"eager": {}, "blocks again": again}
    return {
        "eager": {"compile": "no"},
        "compiled": {"compile": "yes"},
        "blocks again": {"compile": "no", **again},
    }


# ------------------------------------------------------------------------------------ measuring


def photographs(folder: Path) -> Dataset:
    """JPEGs with the statistics of blurred noise, a few batches of them."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    samples = []
    for index in range(4 * int(RECIPE["training"]["batch"])):
        coarse = Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8))
        file = folder / f"{index}.jpg"
        coarse.resize((640, 480), Image.Resampling.BICUBIC).save(file, quality=90)
        samples.append(Sample(str(index), file, EMOTIONS[index % len(EMOTIONS)]))
    return Dataset("noise", tuple(samples), EMOTIONS)


def size() -> int:
    return int(recipes.method_options(RECIPE, "islamnet")["size"])


def training(data: Dataset, folder: Path, changes: Mapping[str, Any]) -> Training:
    """A training of the recipe, without pretrained weights."""
    method = build(
        load("islamnet"),
        "islamnet",
        {**recipes.method_options(RECIPE, "islamnet"), "weights": "none"},
    )
    assert isinstance(method, NetworkMethod)
    numbers = {"compile": "no", "memory": 0, "epochs": 1_000, **changes}
    settings = Settings.parse({**recipes.training(RECIPE, "islamnet"), **numbers})
    nothing = Dataset("none", ())
    return Training(method, data, nothing, settings, folder, seed=0, device="auto", show=False)


def measured(name: str, prepared: Training, roof: float) -> str:
    """A row of the table: steps as the training does them, decoding included."""
    batch = prepared.settings.batch
    if GPU:
        torch.cuda.reset_peak_memory_stats()
    times = [seconds for _, seconds in zip(range(STEPS + 5), steps(prepared), strict=False)][5:]
    rate = batch / float(np.mean(times))
    work = flops(prepared)
    views = rate * len(prepared.method.options["angles"])
    memory = (
        torch.cuda.max_memory_allocated()
        if GPU
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    cells = [
        f"{name}, {prepared.method.options['backbone']}, {size()} px, batch {batch}",
        f"{rate:.0f}",
        f"{views:.0f}",
        f"{work / 1e9:.2f}",
        f"{100 * rate * work / roof:.0f}%",
        f"{memory / 2**30:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def steps(prepared: Training) -> Any:
    """Seconds of one step after the other, from the disk to the update."""
    step = epoch = 0
    while True:
        batches = prepared._batches(epoch, 0)
        start = time.perf_counter()
        for images, labels in batches:
            prepared._step(step, images, labels)
            wait()
            yield time.perf_counter() - start
            start = time.perf_counter()
            step += 1
        epoch += 1


def flops(prepared: Training) -> float:
    """Floating-point operations of a source picture, forward and backward."""
    side, batch = size(), 8
    images = torch.zeros(batch, side, side, 3, dtype=torch.uint8, device=DEVICE)
    labels = torch.arange(batch, device=DEVICE) % len(EMOTIONS)
    network = prepared.network.train()
    with FlopCounterMode(display=False) as counter:
        network.losses(normalise(images), labels)["loss"].backward()
    network.zero_grad()
    return counter.get_total_flops() / batch


def matrix_rate() -> float:
    """Operations a second in products of large matrices: the roof."""
    side = 8192 if GPU else 1024
    kind = torch.bfloat16 if GPU else torch.float32
    a, b = (torch.randn(side, side, device=DEVICE, dtype=kind) for _ in range(2))
    best = min(clocked(lambda: a @ b) for _ in range(20))
    return 2 * side**3 / best


def clocked(function: Callable[[], Any]) -> float:
    wait()
    start = time.perf_counter()
    function()
    wait()
    return time.perf_counter() - start


def wait() -> None:
    if GPU:
        torch.cuda.synchronize()


def kernels(prepared: Training) -> list[str]:
    """Where the time of a step goes, by kind of operation."""
    pictures = steps(prepared)
    for _ in range(3):
        next(pictures)
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if GPU else [])
    with profile(activities=activities) as recorded:
        next(pictures)
    spent: dict[str, float] = defaultdict(float)
    for event in recorded.key_averages():
        cost = event.self_device_time_total if GPU else event.self_cpu_time_total
        kinds = (kind for kind, words in KINDS.items() if any(w in event.key for w in words))
        spent[next(kinds, "other")] += float(cost)
    total = sum(spent.values())
    rows = sorted(spent.items(), key=lambda entry: -entry[1])
    return [
        "One step, by kind of operation:",
        "",
        "| kind | share |",
        "|---|---|",
        *(f"| {kind} | {100 * cost / total:.1f}% |" for kind, cost in rows),
    ]


def gradient_error(backbone: str) -> float:
    """Relative error of the gradients on this device in bf16, against float32 on the CPU."""
    options = {"backbone": backbone, "weights": "none", "size": 128}
    method = build(load("islamnet"), "islamnet", options)
    assert isinstance(method, NetworkMethod)
    found = []
    for device, narrow in (("cpu", False), (DEVICE.type, True)):
        torch.manual_seed(0)
        network = method.build(EMOTIONS).eval().to(device)  # batch norm with its running statistics
        assert isinstance(network, ISLAMNetModule)
        nn.init.normal_(network.classifier.weight, std=0.01)  # at zero, f4 has no gradient
        # smooth pictures of different colours: all noise looks alike to a network, and its gradient
        # would consist of rounding errors
        coarse = torch.rand(8, 3, 4, 4, generator=torch.Generator().manual_seed(1))
        images = nn.functional.interpolate(4 * coarse - 2, size=128, mode="bicubic")
        with torch.autocast(device, torch.bfloat16, enabled=narrow):
            losses = network.losses(images.to(device), torch.arange(8, device=device))
        losses["loss"].backward()
        gradients = [
            p.grad.float().cpu().ravel() for p in network.parameters() if p.grad is not None
        ]
        found.append(torch.cat(gradients))
    return float((found[1] - found[0]).norm() / found[0].norm())


def decoding(data: Dataset) -> float:
    """JPEGs that one core decodes and resizes a second, as training does."""
    pictures = Pictures(list(data), [0] * len(data), size())
    start = time.perf_counter()
    for index in range(len(pictures)):
        pictures.shown(index, 0)
    return len(pictures) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
