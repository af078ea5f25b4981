"""Speed of training ISLAMNet, and a profile of its steps.

    python benchmarks/training.py            writes benchmarks/results/training.md

On a GPU: ResNet-101 at 448 pixels, four rotated views, batch of 32 source images, bf16, channels
last, fused SGD, with and without torch.compile; then a profile of one step, and how far gradients
in bf16 are from those on the CPU in float32. Without a GPU it runs the recipe `demo` at its own
small size on the CPU and says so. The pictures are random; decoding is measured separately.
"""

from __future__ import annotations

import datetime
import io
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.profiler import ProfilerActivity, profile

from emomap import recipes
from emomap.method import build, load
from emomap.methods.islamnet import ISLAMNetModule
from emomap.nn.network import NetworkMethod, fixed_threads
from emomap.sample import EMOTIONS
from emomap.training.batches import augment
from emomap.training.setup import LossStep

RESULT = Path(__file__).parent / "results" / "training.md"
GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if GPU else "cpu")
STEPS = 30 if GPU else 5


def make_step(compiled: bool) -> tuple[Callable[[], None], NetworkMethod, int]:
    """One step of training as a function, its method, and the source images in a step."""
    name = "paper" if GPU else "demo"
    table = recipes.load(name)
    options = {**recipes.method_options(table, "islamnet"), "weights": "none"}
    numbers = recipes.training(table, "islamnet")
    method = build(load("islamnet"), "islamnet", options)
    assert isinstance(method, NetworkMethod)
    torch.manual_seed(0)
    network = method.build(EMOTIONS).to(DEVICE).to(memory_format=torch.channels_last).train()
    step: nn.Module = LossStep(network)
    if compiled:
        step = torch.compile(step)  # type: ignore[assignment]
    optimizer = torch.optim.SGD(
        network.parameters(), numbers["learning_rate"], momentum=0.9, weight_decay=5e-4, fused=GPU
    )
    batch = int(numbers["batch"])
    side = method.size
    images = torch.randint(0, 256, (batch, side, side, 3), dtype=torch.uint8, device=DEVICE)
    labels = torch.arange(batch, device=DEVICE) % len(EMOTIONS)

    def run() -> None:
        shown = augment(images, flip=True, shift=0.0, seed=1)
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=GPU):
            loss = step(shown, labels)["loss"]
        optimizer.zero_grad()
        loss.backward()
        if numbers["clip"]:
            nn.utils.clip_grad_norm_(network.parameters(), numbers["clip"])
        optimizer.step()

    return run, method, batch


def seconds(run: Callable[[], None]) -> list[float]:
    """Seconds of each step after the first few."""
    for _ in range(5 if GPU else 1):
        run()
    found = []
    for _ in range(STEPS):
        wait()
        start = time.perf_counter()
        run()
        wait()
        found.append(time.perf_counter() - start)
    return found


def wait() -> None:
    if GPU:
        torch.cuda.synchronize()


def table_of_costs(run: Callable[[], None]) -> str:
    """The most expensive operations of one step."""
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if GPU else [])
    with profile(activities=activities) as recorded:
        run()
        wait()
    key = "self_cuda_time_total" if GPU else "self_cpu_time_total"
    events = sorted(recorded.key_averages(), key=lambda e: -cost(e))
    total = sum(cost(event) for event in events)
    lines = [f"Profile of one step ({key}):", "", "| operation | calls | share |", "|---|---|---|"]
    lines += [
        f"| `{event.key[:60]}` | {event.count} | {100 * cost(event) / total:.1f}% |"
        for event in events[:15]
    ]
    return "\n".join(lines)


def cost(event: object) -> float:
    name = "self_device_time_total" if GPU else "self_cpu_time_total"
    return float(getattr(event, name))


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


def decoding() -> float:
    """JPEGs of 640x480 that one core decodes and resizes a second, as training does."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8))
    stream = io.BytesIO()
    coarse.resize((640, 480), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=90)
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < 2:
        picture = Image.open(io.BytesIO(stream.getvalue()))
        picture.draft("RGB", (448, 448))
        picture.convert("RGB").resize((448, 448), Image.Resampling.BILINEAR)
        count += 1
    return count / (time.perf_counter() - start)


def processor() -> str:
    """The model of the CPU, if the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(x.split(":")[1].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    device = torch.cuda.get_device_name() if GPU else f"{processor()}, 2 threads"
    if GPU:
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    lines = [
        "# Training ISLAMNet",
        "",
        f"{datetime.date.today()}, {device}, torch {torch.__version__}, "
        f"Python {platform.python_version()}.",
        "",
    ]
    if not GPU:
        lines += [
            "**No GPU here**: this is the recipe `demo` at toy size on two CPU threads. It says "
            "nothing about ResNet-101 at 448 pixels.",
            "",
        ]
    lines += ["| | source images/s (median) | best | views/s |", "|---|---|---|---|"]
    with fixed_threads(0 if GPU else 2):
        for compiled in (False, True) if GPU else (False,):
            run, method, batch = make_step(compiled)
            times = seconds(run)
            middle, best = batch / float(np.median(times)), batch / min(times)
            views = middle * len(method.options["angles"])
            name = f"{method.options['backbone']}, {method.size} px, batch {batch}"
            name += ", compiled" if compiled else ""
            lines.append(f"| {name} | {middle:.0f} | {best:.0f} | {views:.0f} |")
            print(lines[-1], flush=True)
        lines += ["", table_of_costs(run), ""]
    lines.append(f"Decoding, one core, 640x480 JPEG to 448x448: {decoding():.0f} images/s.")
    errors = ", ".join(f"{name} {gradient_error(name):.4f}" for name in ("small", "resnet18"))
    lines.append(
        f"Gradients in bf16 on the {DEVICE.type} against those in float32 on the CPU, relative "
        f"error at random weights: {errors}."
    )
    if GPU:
        lines.append(f"Peak GPU memory: {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB.")
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"written to {RESULT}")


if __name__ == "__main__":
    main()
