"""`emomap objects`: do people, and models, look at emotional objects more than at neutral ones?"""

from __future__ import annotations

from pathlib import Path

import click

from emomap.cli import options


@click.command(
    epilog=options.examples(
        "emomap objects demo --split test",
        "emomap objects photos/ --maps gbvs=maps/gbvs --maps ours=my_maps/",
        "emomap objects runs/a    # people and all methods of a run",
    )
)
@click.argument("source", metavar="DATASET|RUN")
@click.option(
    "--maps",
    multiple=True,
    metavar="NAME=FOLDER",
    help="Measure the maps in FOLDER, too, as the model NAME. Repeatable.",
)
@click.option("--methods", metavar="A,B", help="Methods of the run. Default: all with maps.")
@click.option(
    "--split",
    type=click.Choice(["all", "train", "val", "test"]),
    help="Measure the pictures of this split. Default: all; those of a run.",
)
@click.option(
    "--statistic",
    type=click.Choice(["max", "mean"]),
    default="max",
    show_default=True,
    help="Take the maximum or the mean of the density over an object and over the picture.",
)
@click.option(
    "--first",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="N",
    help="Take the first N fixations of each observer apart from the later ones.",
)
@click.option(
    "--sigma",
    type=click.FloatRange(min=0, min_open=True),
    metavar="PX",
    help="Blur fixations by this Gaussian. Default: that of the data set, else MIT's.",
)
@click.option("--stretch", is_flag=True, help="Accept maps whose aspect ratio differs.")
@click.option(
    "--per-object",
    type=options.FOLDER,
    metavar="FILE",
    help="Write the attention on every object to this CSV file.",
)
@click.option("--gaze", type=options.FOLDER, metavar="PATH", help="Gaze kept apart, by stem.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="data.NAME=VALUE",
    help="An option of the data set's layout. Repeatable.",
)
@options.format_option
@options.output_option
@options.seed_option
@options.jobs_option
@options.quiet_option
def objects(
    source: str,
    maps: tuple[str, ...],
    methods: str | None,
    split: str | None,
    statistic: str,
    first: int,
    sigma: float | None,
    stretch: bool,
    per_object: Path | None,
    gaze: Path | None,
    settings: tuple[str, ...],
    form: str,
    output: Path | None,
    seed: int,
    jobs: int | None,
    quiet: bool,
) -> int:
    """Measure how much attention people and models give to emotional and to neutral objects.

    The objects are those that a data set outlines (objects/ of the neutral layout). The attention
    on an object is the density over it divided by that over the picture; emotion prioritisation is
    the difference between the emotional and the neutral objects within a picture, averaged over
    pictures, with a 95% interval and a paired permutation test. AttI is the log2 of the
    objects' share of the density over their share of the area. Exit code 3 when some pictures or
    maps could not be measured.
    """
    from emomap import io
    from emomap.analysis.objects import per_object as rows_of
    from emomap.analysis.objects_of import MapsOf, measured, open_source
    from emomap.progress import say

    opened = open_source(
        source,
        gaze=gaze,
        options=options.data_settings(settings),
        methods=methods.split(",") if methods else None,
        split=split,
    )
    given = [MapsOf.parse(text) for text in maps]
    found, summary = measured(
        opened,
        given,
        statistic=statistic,
        first=first,
        sigma=sigma,
        stretch=stretch,
        seed=seed,
        jobs=jobs,
        show=not quiet,
    )
    if per_object is not None:
        io.write_text(per_object, rows_of(found).render("csv"))
    options.show(summary.render(form), output, prose=form == "table")
    for line in summary.problems[:10]:
        say(f"emomap: {line}")
    if len(summary.problems) > 10:
        say(f"emomap: and {len(summary.problems) - 10} more")
    return 3 if summary.problems else 0
