"""Stop release 0.1's `score` after seven maps, as Ctrl-C does. Leaves stopped.csv.part."""

import emomap.scores

import emomap


def seven(results, **_):
    for count, result in enumerate(results):
        if count == 7:
            raise KeyboardInterrupt
        yield result


for module in (emomap.scores, __import__("emomap.scoring").scoring):
    if hasattr(module, "track"):
        module.track = seven
try:
    emomap.score(
        "maps",
        "data",
        metrics=["auc_judd", "cc", "kl", "nss"],
        allow_missing=True,
        keep="stopped.csv",
        jobs=1,
    )
except KeyboardInterrupt:
    print("stopped")
