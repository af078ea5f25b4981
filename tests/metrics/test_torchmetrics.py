"""The torchmetrics classes give what the library gives, batch by batch and over processes."""

from __future__ import annotations

import numpy as np
import pytest

from emomap import metrics

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

SHAPE = (48, 64)


@pytest.fixture
def batch(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Seven maps with everything that the metrics compare them with."""
    counts = (rng.random((7, *SHAPE)) < 0.01).astype(np.int64)
    others = (rng.random((7, *SHAPE)) < 0.05).astype(np.int64)
    return {
        "maps": rng.random((7, *SHAPE)),
        "fixations": counts,
        "density": metrics.density(counts, 4),
        "other": others,
        "baseline": metrics.density(others, 4),
    }


def classes() -> dict[str, type]:
    from emomap import torchmetrics

    found = (getattr(torchmetrics, name) for name in torchmetrics.__all__ if name != "MapMetric")
    return {cls.name: cls for cls in found}


def test_every_metric_of_the_catalogue_has_a_class() -> None:
    assert set(classes()) == set(metrics.CATALOGUE)


@pytest.mark.parametrize("name", metrics.CATALOGUE)
@pytest.mark.parametrize("convention", ["mit", "tuebingen"])
def test_value_is_the_mean_of_the_library(
    batch: dict[str, np.ndarray], name: str, convention: str
) -> None:
    entry = metrics.CATALOGUE[name]
    options = {"emd": {"downsize": 16}} if name == "emd" else {}
    metric = classes()[name](convention=convention, **options.get(name, {}))
    tensors = [torch.from_numpy(batch[key]) for key in ("maps", *entry.inputs)]
    metric.update(*(t[:4] for t in tensors))
    metric.update(*(t[4:, None] for t in tensors))
    expected = metrics.evaluate(
        batch["maps"],
        **{key: batch[key] for key in entry.inputs},
        metrics=(name,),
        convention=convention,
        options=options,
    )[name]
    assert float(metric.compute()) == pytest.approx(float(np.mean(expected)), rel=1e-9)
    assert metric.higher_is_better is entry.higher_is_better
    assert metric.signature.startswith(f"{name}|{convention}")
    metric.reset()
    with (
        pytest.raises(ValueError, match="nothing to average"),
        pytest.warns(UserWarning, match="before the ``update``"),
    ):
        metric.compute()


def test_states_of_processes_add_up(batch: dict[str, np.ndarray]) -> None:
    from emomap.torchmetrics import NSS

    maps, fixations = torch.from_numpy(batch["maps"]), torch.from_numpy(batch["fixations"])
    one, other, whole = NSS(), NSS(), NSS()
    one.update(maps[:2], fixations[:2])
    other.update(maps[2:], fixations[2:])
    whole.update(maps, fixations)
    one.total, one.count = one.total + other.total, one.count + other.count
    assert float(one.compute()) == pytest.approx(float(whole.compute()), rel=1e-12)


def test_float_maps_of_a_network_and_a_collection(batch: dict[str, np.ndarray]) -> None:
    from torchmetrics import MetricCollection

    from emomap.torchmetrics import CC, KL

    maps = torch.from_numpy(batch["maps"]).float().requires_grad_()
    density = torch.from_numpy(batch["density"]).float()
    both = MetricCollection([CC(), KL()])
    both.update(maps, density)
    found = both.compute()
    assert set(found) == {"CC", "KL"}
    pair = batch["maps"].astype("f4"), batch["density"].astype("f4")
    assert float(found["CC"]) == pytest.approx(metrics.cc(*pair).mean(), rel=1e-9)
    assert float(found["KL"]) == pytest.approx(metrics.kl(*pair).mean(), rel=1e-9)
    assert not found["CC"].requires_grad


def test_a_collection_is_updated_by_names(batch: dict[str, np.ndarray]) -> None:
    """Each takes what it needs. CC and SIM, both 1 on the first batch, are not taken for one."""
    from torchmetrics import MetricCollection

    from emomap.torchmetrics import CC, NSS, SIM, AUCJudd

    maps, fixations, density = (
        torch.from_numpy(batch[key]) for key in ("maps", "fixations", "density")
    )
    several = MetricCollection([CC(), NSS(), AUCJudd(), SIM()])
    several.update(density, fixations=fixations, density=density)
    several.update(maps, fixations=fixations, density=density)
    found = {name: float(value) for name, value in several.compute().items()}
    for name, cls in (("cc", "CC"), ("sim", "SIM")):
        expected = (1 + getattr(metrics, name)(batch["maps"], batch["density"]).mean()) / 2
        assert found[cls] == pytest.approx(expected, rel=1e-9)
    auc = metrics.auc_judd(np.concatenate([batch["density"], batch["maps"]]),
                           np.concatenate([batch["fixations"]] * 2))  # fmt: skip
    assert found["AUCJudd"] == pytest.approx(auc.mean(), rel=1e-9)
    with pytest.raises(ValueError, match="saliency: the names are baseline, density, fixations"):
        CC().update(maps, density=density, saliency=maps)


def test_images_without_gaze(batch: dict[str, np.ndarray]) -> None:
    from emomap.torchmetrics import KL, NSS

    maps, fixations = torch.from_numpy(batch["maps"]), torch.from_numpy(batch["fixations"].copy())
    fixations[2] = 0
    with pytest.raises(ValueError, match="fixat"):
        NSS().update(maps, fixations)
    metric = NSS(empty="skip")
    metric.update(maps, fixations=fixations)
    kept = [0, 1, 3, 4, 5, 6]
    expected = metrics.nss(batch["maps"][kept], batch["fixations"][kept]).mean()
    assert float(metric.compute()) == pytest.approx(expected, rel=1e-12)
    assert (int(metric.skipped), int(metric.count)) == (1, 6)
    nothing = KL(empty="skip")
    nothing.update(maps, torch.zeros_like(maps))
    with pytest.raises(ValueError, match="no image had gaze"):
        nothing.compute()
    with pytest.raises(ValueError, match='empty is \'drop\'; it is "error" or "skip"'):
        NSS(empty="drop")


def test_wrong_use_is_named(batch: dict[str, np.ndarray]) -> None:
    from emomap.torchmetrics import CC, NSS

    maps, fixations = torch.from_numpy(batch["maps"]), torch.from_numpy(batch["fixations"])
    with pytest.raises(ValueError, match="nss takes maps and fixations"):
        NSS().update(maps)
    with pytest.raises(ValueError, match="differ in shape"):
        NSS().update(maps[:, :40], fixations)
    with pytest.raises(ValueError, match=r"maps is \(48, 64\)"):
        NSS().update(maps[0], fixations[0])
    with pytest.raises(ValueError, match="convention is 'x'"):
        CC(convention="x")


@pytest.mark.parametrize("name", metrics.CATALOGUE)
@pytest.mark.parametrize("shape", ["batch", "channel", "one"])
def test_a_mask_is_that_of_the_library(
    batch: dict[str, np.ndarray], rng: np.random.Generator, name: str, shape: str
) -> None:
    entry = metrics.CATALOGUE[name]
    mask = rng.random((7, *SHAPE)) < 0.2
    if shape == "one":
        mask[:] = mask[0]
    given = torch.from_numpy({"one": mask[0], "channel": mask[:, None], "batch": mask}[shape])
    found = classes()[name]()
    found.update(torch.from_numpy(batch["maps"]), mask=given, **_tensors(batch, entry.inputs))
    inputs = {key: batch[key] for key in entry.inputs}
    expected = metrics.evaluate(batch["maps"], **inputs, metrics=(name,), mask=mask)[name]
    assert float(found.compute()) == pytest.approx(float(np.mean(expected)), rel=1e-9)


def _tensors(batch: dict[str, np.ndarray], names: tuple[str, ...]) -> dict[str, torch.Tensor]:
    return {key: torch.from_numpy(batch[key]) for key in names}


def test_gaze_under_the_mask_is_none_and_is_skipped(batch: dict[str, np.ndarray]) -> None:
    from emomap.torchmetrics import NSS

    mask = np.zeros((7, *SHAPE), bool)
    mask[2] = batch["fixations"][2] > 0
    maps, fixations = (torch.from_numpy(batch[key]) for key in ("maps", "fixations"))
    with pytest.raises(ValueError, match=r"map \(2,\).*no fixation"):
        NSS().update(maps, fixations, mask=torch.from_numpy(mask))
    metric = NSS(empty="skip")
    metric.update(maps, fixations, mask=torch.from_numpy(mask))
    assert int(metric.skipped) == 1
    kept = np.arange(7) != 2
    expected = metrics.nss(batch["maps"][kept], batch["fixations"][kept])
    assert float(metric.compute()) == pytest.approx(float(np.mean(expected)))


@pytest.mark.parametrize(
    ("mask", "said"), [(torch.zeros(5, 5), "mask is"), (torch.full(SHAPE, 0.5), "True where")]
)
def test_a_wrong_mask_is_refused(
    batch: dict[str, np.ndarray], mask: torch.Tensor, said: str
) -> None:
    from emomap.torchmetrics import NSS

    maps, fixations = (torch.from_numpy(batch[key]) for key in ("maps", "fixations"))
    with pytest.raises(ValueError, match=said):
        NSS().update(maps, fixations, mask=mask)
