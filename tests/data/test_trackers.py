"""Exports of eye trackers, made from known fixations: the import gives them back."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from emomap import cli
from emomap.data import open_dataset
from emomap.data.trackers.importing import ExportChoices, Imported, import_export
from emomap.errors import EmomapError, UsageError
from tests.conftest import shared

SCREEN = (1280, 1024)
#: Columns of a fixation report of Data Viewer.
FIX = ("CURRENT_FIX_X", "CURRENT_FIX_Y", "CURRENT_FIX_START", "CURRENT_FIX_DURATION")


@dataclass(frozen=True)
class Look:
    """A fixation: pixels of the picture."""

    picture: str
    observer: int
    x: float
    y: float
    duration: int
    start: int


@dataclass(frozen=True)
class Known:
    """Pictures with their sizes, and fixations on them in viewing order."""

    folder: Path
    sizes: dict[str, tuple[int, int]]
    looks: Sequence[Look]

    def on_screen(self, look: Look) -> tuple[float, float]:
        """In pixels of the screen, the picture in its middle at its own size."""
        width, height = self.sizes[look.picture]
        return look.x + (SCREEN[0] - width) / 2, look.y + (SCREEN[1] - height) / 2

    def trials(self) -> list[list[Look]]:
        found: dict[tuple[int, str], list[Look]] = {}
        for look in self.looks:
            found.setdefault((look.observer, look.picture), []).append(look)
        return list(found.values())


@pytest.fixture
def known(tmp_path: Path) -> Known:
    """Three pictures of odd sizes, two observers."""
    rng = np.random.default_rng(3)
    sizes = {"1001.jpg": (301, 200), "sub/Two words.png": (200, 301), "c.bmp": (120, 121)}
    for name, size in sizes.items():
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)).save(file)
    looks = []
    for observer in (1, 2):
        for name, (width, height) in sizes.items():
            for at in range(7):
                x, y = (round(float(v), 1) for v in rng.uniform(0, (width - 1, height - 1)))
                looks.append(Look(name, observer, x, y, 100 + 13 * at, 1000 * len(looks)))
    return Known(tmp_path / "photos", sizes, looks)


def write(file: Path, rows: Sequence[Sequence[object]], delimiter: str = "\t", **how: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", **how) as stream:
        csv.writer(stream, delimiter=delimiter).writerows(rows)
    return file


def data_viewer(known: Known, out: Path) -> list[Path]:
    header = ["RECORDING_SESSION_LABEL", "TRIAL_INDEX", "image", "CURRENT_FIX_INDEX", *FIX]
    rows: list[list[object]] = [[*header]]
    for number, trial in enumerate(known.trials(), 1):
        for index, look in enumerate(trial, 1):
            x, y = known.on_screen(look)
            rows.append([f"s{look.observer}", number, look.picture, index, f"{x:.2f}", f"{y:.2f}",
                         look.start, look.duration])  # fmt: skip
        rows.append([f"s{trial[0].observer}", number, trial[0].picture, 8, ".", ".", 9, "."])
    rows.append(["s1", 99, "instructions.png", 1, "640", "512", 5, 100])
    return [write(out / "report.txt", rows)]


def asc(known: Known, out: Path) -> list[Path]:
    files = []
    for observer in (1, 2):
        lines = [
            "** CONVERTED FROM x.edf",
            f"MSG\t1 DISPLAY_COORDS 0 0 {SCREEN[0] - 1} {SCREEN[1] - 1}",
        ]
        for number, trial in enumerate(t for t in known.trials() if t[0].observer == observer):
            at = trial[0].start
            lines += [f"MSG\t{at} TRIALID {number}", f"START\t{at} \tLEFT\tEVENTS"]
            if number % 2:  # a message at the beginning, or a variable at the end
                lines.append(f"MSG\t{at} !V IMGLOAD CENTER ../photos/{trial[0].picture} 640 512"
                             if " " not in trial[0].picture else
                             f"MSG\t{at} !V TRIAL_VAR image {trial[0].picture}")  # fmt: skip
            for look in trial:
                x, y = known.on_screen(look)
                end = look.start + look.duration
                span = f"{look.start}\t{end}\t{look.duration}"
                lines += [f"SFIX L   {look.start}",
                          f"EFIX L   {span}\t  {x:.1f}\t  {y:.1f}\t   900",
                          f"SBLINK L {end}", f"EBLINK L {end}\t{end + 9}\t9"]  # fmt: skip
            lines.append(f"EFIX L   {at}\t{at + 5}\t5\t   .\t   .\t   0")
            lines.append(f"MSG\t{at} !V TRIAL_VAR image {trial[0].picture}")
            lines += [f"MSG\t{at} TRIAL_RESULT 0", f"END\t{at}"]
        out.mkdir(exist_ok=True)
        files.append(out / f"s{observer}.asc")
        files[-1].write_text("\n".join(lines) + "\n")
    return files


def tobii(known: Known, out: Path) -> list[Path]:
    header = ["Recording timestamp [μs]", "Participant name", "Recording resolution width",
              "Recording resolution height", "Presented Stimulus name", "Eye movement type",
              "Gaze event duration [ms]", "Eye movement type index", "Fixation point X [DACS px]",
              "Fixation point Y [DACS px]"]  # fmt: skip
    rows: list[list[object]] = [header]
    for trial in known.trials():
        for index, look in enumerate(trial, 1):
            x, y = known.on_screen(look)
            who = [f"P{look.observer:02d}", *SCREEN, look.picture]
            place = [str(round(v, 1)).replace(".", ",") for v in (x, y)]
            for sample in range(4):
                time = look.start * 1000 + sample
                rows.append([time, *who, "Fixation", look.duration, index, *place])
            rows.append([look.start * 1000 + 9, *who, "Saccade", 30, index, "", ""])
            rows.append([look.start * 1000 + 9, *who, "EyesNotFound", 30, index, "", ""])
    return [write(out / "export.tsv", rows, encoding="utf-16")]


def pupil(known: Known, out: Path) -> list[Path]:
    header = ["id", "start_timestamp", "duration", "norm_pos_x", "norm_pos_y", "confidence",
              "image", "participant"]  # fmt: skip
    rows: list[list[object]] = [header]
    for index, look in enumerate(known.looks):
        x, y = known.on_screen(look)
        rows.append([index, look.start, look.duration, x / SCREEN[0], 1 - y / SCREEN[1], 0.98,
                     look.picture, look.observer])  # fmt: skip
        rows.append([index, look.start, look.duration, 0.5, 0.5, 0.2, look.picture, look.observer])
    return [write(out / "fixations.csv", rows, ",")]


def begaze(known: Known, out: Path) -> list[Path]:
    header = ["Trial", "Stimulus", "Participant", "Eye L/R", "Category",
              "Event Start Trial Time [ms]", "Event Duration [ms]", "Fixation Position X [px]",
              "Fixation Position Y [px]"]  # fmt: skip
    rows: list[list[object]] = [["## [BeGaze]"], ["## Version:", "3.7"], [], header]
    for number, trial in enumerate(known.trials(), 1):
        for look in trial:
            x, y = known.on_screen(look)
            whole = [f"Trial{number:03d}", look.picture, f"Müller {look.observer}"]
            rows.append(
                [*whole, "Right", "Fixation", look.start, look.duration, f"{x:.1f}", f"{y:.1f}"]
            )
            rows.append([*whole, "Right", "Saccade", look.start, 20, "-", "-"])
            rows.append([*whole, "Right", "Blink", look.start, 90, "-", "-"])
            if number == 1:
                rows.append([*whole, "Left", "Fixation", look.start, look.duration, "1", "1"])
    return [write(out / "events.txt", rows, encoding="latin-1")]


def idf(known: Known, out: Path) -> list[Path]:
    files = []
    for observer in (1, 2):
        rows: list[list[object]] = [
            ["[iView]"], ["Subject:", f"s{observer}"], ["Table Header for Fixations:"],
            ["Event Type", "Trial", "Number", "Start", "End", "Duration", "Location X",
             "Location Y"],
        ]  # fmt: skip
        for trial in (t for t in known.trials() if t[0].observer == observer):
            name = trial[0].picture.replace(" ", "_")
            rows.append(["UserEvent", 1, 1, trial[0].start, f"# Message: {name}"])
            for index, look in enumerate(trial, 1):
                x, y = known.on_screen(look)
                end = look.start + 1000 * look.duration
                rows.append(["Fixation R", 1, index, look.start, end, 1000 * look.duration,
                             f"{x:.2f}", f"{y:.2f}"])  # fmt: skip
                rows.append(["Blink R", 1, index, end, end, 0])
        files.append(write(out / f"s{observer}.txt", rows))
    return files


def psychopy(known: Known, out: Path) -> list[Path]:
    files = []
    for observer in (1, 2):
        rows: list[list[object]] = [["participant", "trials.thisN", "image", "fix_x", "fix_y",
                                     "fix_dur", "fix_start", "extra"]]  # fmt: skip
        for look in known.looks:
            if look.observer == observer:
                x, y = known.on_screen(look)
                place = [x - SCREEN[0] / 2, SCREEN[1] / 2 - y]
                times = [look.duration / 1000, look.start / 1000]
                rows.append([f"vp{observer}", 0, f"stimuli/{look.picture}", *place, *times, "a"])
        files.append(write(out / f"vp{observer}.csv", rows, ","))
    return files


Maker = Callable[[Known, Path], list[Path]]
MAKERS: dict[str, tuple[str, Maker, ExportChoices]] = {
    "data viewer": ("eyelink", data_viewer, ExportChoices(screen=SCREEN)),
    "asc": ("eyelink", asc, ExportChoices()),
    "tobii": ("tobii", tobii, ExportChoices()),
    "pupil": ("pupil", pupil, ExportChoices(screen=SCREEN)),
    "begaze": ("smi", begaze, ExportChoices(screen=SCREEN)),
    "psychopy": ("psychopy", psychopy, ExportChoices(screen=SCREEN)),
}


def assert_given_back(out: Path, known: Known) -> None:
    dataset = open_dataset(out)
    assert len(dataset) == len(known.sizes)
    for sample in dataset:
        gaze = sample.gaze()
        name = next(n for n in known.sizes if n.rpartition(".")[0] == sample.id)
        wanted = [look for look in known.looks if look.picture == name]
        assert gaze is not None and gaze.points is not None and gaze.durations is not None
        assert len(gaze.points) == len(wanted), name
        found = gaze.points - [(look.x, look.y) for look in wanted]
        assert np.abs(found).max() <= 0.5, name
        assert gaze.durations.tolist() == pytest.approx([look.duration for look in wanted])
        assert (
            len(set(zip(gaze.observers.tolist(), [k.observer for k in wanted], strict=True))) == 2
        )


@pytest.mark.parametrize("name", MAKERS)
def test_fixations_are_given_back(name: str, known: Known, tmp_path: Path) -> None:
    tracker, make, choices = MAKERS[name]
    files = make(known, tmp_path / "export")
    out = tmp_path / "set"
    done = import_export(tracker, files, known.folder, out, choices, show=False)
    assert_given_back(out, known)
    assert done.fixations == len(known.looks) and done.observers == 2 and done.outside == 0
    assert (out / "check.png").exists()
    names = (out / "observers.csv").read_text().splitlines()
    assert names[0] == "observer,name" and len(names) == 3
    by_folder = import_export(tracker, [tmp_path / "export"], known.folder, tmp_path / "b", choices,
                              show=False)  # fmt: skip
    assert by_folder.fixations == done.fixations


def test_what_is_left_out_is_counted(known: Known, tmp_path: Path) -> None:
    def notes(name: str) -> str:
        tracker, make, choices = MAKERS[name]
        files = make(known, tmp_path / name)
        done = import_export(
            tracker, files, known.folder, tmp_path / f"{name}-set", choices, show=False
        )
        return "; ".join(done.notes)

    assert "left out: 6 fixations without a position" in notes("data viewer")
    assert "1 fixations on what is no picture here: instructions.png" in notes("data viewer")
    assert "left out: 42 blinks" in notes("asc")
    assert "left out: 42 blinks, or eyes that were not found" in notes("tobii")
    assert "the screen has 1280 x 1024 pixels" in notes("tobii")
    assert "left out: 42 fixations with a confidence below 0.6" in notes("pupil")
    assert "left out: 7 fixations of the other eye" in notes("begaze")
    assert "durations are taken as seconds" in notes("psychopy")


def test_text_of_the_idf_event_detector(known: Known, tmp_path: Path) -> None:
    words = known.folder / "sub/Two words.png"
    words.rename(words.with_name("Two_words.png"))
    files = idf(known, tmp_path / "export")
    done = import_export(
        "smi", files, known.folder, tmp_path / "set", ExportChoices(screen=SCREEN), show=False
    )
    assert done.fixations == len(known.looks)
    assert any("microseconds" in note for note in done.notes)
    gaze = open_dataset(tmp_path / "set").samples[0].gaze()
    assert gaze is not None and gaze.durations is not None
    assert gaze.durations[0] == known.looks[0].duration


def test_pictures_elsewhere_and_of_other_size(known: Known, tmp_path: Path) -> None:
    """The same fixations, shown in a corner twice as large, and as large as the screen allows."""

    def report(place: Callable[[Look], tuple[float, float]], name: str) -> list[Path]:
        rows: list[list[object]] = [["RECORDING_SESSION_LABEL", "image", *FIX]]
        rows += [[k.observer, k.picture, *place(k), k.start, k.duration] for k in known.looks]
        return [write(tmp_path / name, rows)]

    def fitted(look: Look) -> tuple[float, float]:
        width, height = known.sizes[look.picture]
        times = min(SCREEN[0] / width, SCREEN[1] / height)
        left, top = (SCREEN[0] - times * width) / 2, (SCREEN[1] - times * height) / 2
        return left + times * look.x, top + times * look.y

    files = report(lambda look: (30 + look.x, 40 + look.y), "corner.txt")
    chosen = ExportChoices(screen=SCREEN, corner=(30, 40))
    import_export("eyelink", files, known.folder, tmp_path / "a", chosen, show=False)
    assert_given_back(tmp_path / "a", known)
    files = report(fitted, "fit.txt")
    chosen = ExportChoices(screen=SCREEN, shown="fit")
    import_export("eyelink", files, known.folder, tmp_path / "b", chosen, show=False)
    assert_given_back(tmp_path / "b", known)
    files = report(lambda look: (look.x, look.y), "picture.txt")
    chosen = ExportChoices(frame="picture")
    import_export("eyelink", files, known.folder, tmp_path / "c", chosen, show=False)
    assert_given_back(tmp_path / "c", known)
    done = import_export(
        "eyelink", files, known.folder, tmp_path / "d", ExportChoices(screen=SCREEN), show=False
    )
    assert done.outside > done.fixations / 3
    assert any("check --screen" in note for note in done.notes)


def test_psychopys_units(known: Known, tmp_path: Path) -> None:
    for frame, scale in (("norm", np.array(SCREEN) / 2), ("height", np.full(2, SCREEN[1]))):
        files = psychopy(known, tmp_path / frame)
        for file in files:
            rows = list(csv.reader(file.open()))
            for row in rows[1:]:
                row[3:5] = [str(float(row[3]) / scale[0]), str(float(row[4]) / scale[1])]
            write(file, rows, ";")
        chosen = ExportChoices(frame=frame, screen=SCREEN)
        import_export(
            "psychopy", files, known.folder, tmp_path / f"{frame}-set", chosen, show=False
        )
        assert_given_back(tmp_path / f"{frame}-set", known)


def test_surfaces_of_pupil(known: Known, tmp_path: Path) -> None:
    """A file for each surface, which is a picture; each recording has a folder."""
    for observer in (1, 2):
        for name, (width, height) in known.sizes.items():
            looks = [k for k in known.looks if (k.observer, k.picture) == (observer, name)]
            rows: list[list[object]] = [["fixation_id", "start_timestamp", "duration", "norm_pos_x",
                                         "norm_pos_y", "on_surf", "participant"]]  # fmt: skip
            for at, k in enumerate(looks):
                rows.append(
                    [at, k.start, k.duration, k.x / width, 1 - k.y / height, "True", observer]
                )
                rows.append([at, k.start, k.duration, 1.4, 0.5, "False", observer])
            stem = name.rpartition("/")[2].rpartition(".")[0]
            write(tmp_path / f"export/{observer}/fixations_on_surface_{stem}.csv", rows, ",")
    done = import_export("pupil", [tmp_path / "export"], known.folder, tmp_path / "set", show=False)
    assert_given_back(tmp_path / "set", known)
    assert any("42 fixations that are marked as invalid, or off" in note for note in done.notes)


def test_trials_name_the_pictures(known: Known, tmp_path: Path) -> None:
    rows: list[list[object]] = [["RECORDING_SESSION_LABEL", "TRIAL_INDEX", *FIX]]
    trials: list[list[object]] = [["observer", "trial", "image"]]
    for number, trial in enumerate(known.trials(), 1):
        trials.append([trial[0].observer, number, trial[0].picture])
        rows += [[k.observer, number, *known.on_screen(k), k.start, k.duration] for k in trial]
    files = [write(tmp_path / "report.txt", rows)]
    table = write(tmp_path / "trials.csv", trials, ",")
    with pytest.raises(EmomapError, match="--trials FILE"):
        import_export(
            "eyelink",
            files,
            known.folder,
            tmp_path / "set",
            ExportChoices(screen=SCREEN),
            show=False,
        )
    chosen = ExportChoices(screen=SCREEN, trials=table)
    import_export("eyelink", files, known.folder, tmp_path / "set", chosen, show=False)
    assert_given_back(tmp_path / "set", known)
    chosen = ExportChoices(screen=SCREEN, trials=table, skip_first=2)
    done = import_export("eyelink", files, known.folder, tmp_path / "less", chosen, show=False)
    assert done.fixations == len(known.looks) - 2 * 6


def test_wrong_exports(known: Known, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = data_viewer(known, tmp_path / "good")[0]
    other = write(tmp_path / "other.csv", [["a", "b"], [1, 2]], ",")
    bad = write(tmp_path / "bad.txt", [["image", "CURRENT_FIX_X", "CURRENT_FIX_Y"],
                                       ["c.bmp", "12", "left"]])  # fmt: skip
    (tmp_path / "a.edf").write_bytes(b"SR_RESEARCH_COMBINED_FILE")
    (tmp_path / "b.asc").write_text("nothing\n")
    (tmp_path / "empty").mkdir()
    away = tmp_path / "away"
    away.mkdir()
    Image.new("RGB", (8, 8)).save(away / "z.png")
    screen = ("--screen", "1280x1024")
    for arguments, code, words in (
        (("eyelink", good), 2, "say --screen 1920x1080"),
        (("eyelink", other, *screen), 1, "no column like current_fix_x; its columns are a, b"),
        (("eyelink", bad, *screen), 1, "bad.txt, line 2: y is 'left'"),
        (("eyelink", tmp_path / "a.edf"), 1, "edf2asc"),
        (("eyelink", tmp_path / "b.asc"), 1, "not an .asc file"),
        (("eyelink", tmp_path / "none.txt", *screen), 1, "no such file"),
        (("eyelink", tmp_path / "empty", *screen), 1, "no export in it"),
        (("eyelink", good, "--screen", "big"), 2, "--screen big"),
        (("eyelink", good, *screen, "--position", "left"), 2, "--position left"),
        (("eyelink", good, *screen, "--size", "0x5"), 2, "--size 0x5"),
        (("eyelink", good, *screen, "--units", "furlong"), 2, "choose from picture"),
        (("eyelink", good, *screen, "--columns", "image"), 2, "FIELD=NAME"),
        (("eyelink", good, *screen, "--columns", "image=nix"), 2, "has RECORDING_SESSION_LABEL"),
        (("eyelink", good, *screen, "--columns", "colour=image"), 2, "choose from x, y"),
        (("eyelink", good, *screen, "--images", away), 1, "no fixation of the export is on one"),
        (("eyelink", good, *screen, "-o", known.folder / "set"), 2, "lies within"),
        (("oculomotor", good), 2, "eyelink"),
    ):
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main(["data", "import", "--images", str(known.folder), "-o", str(tmp_path / "out"),
                      *map(str, arguments)])  # fmt: skip
        said = capsys.readouterr().err
        assert caught.value.code == code and words in said, said
        assert "Traceback" not in said
    with pytest.raises(UsageError, match="holds the conversion of another"):
        for screen_size in (SCREEN, (1920, 1080)):
            import_export("eyelink", [good], known.folder, tmp_path / "twice",
                          ExportChoices(screen=screen_size), show=False)  # fmt: skip


def test_the_command(known: Known, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = data_viewer(known, tmp_path / "export")
    with pytest.raises(SystemExit) as caught:
        cli.main(["data", "import", "eyelink", str(files[0]), "--images", str(known.folder),
                  "--screen", "1280x1024", "--out", str(tmp_path / "set")])  # fmt: skip
    assert not caught.value.code
    assert "42 fixations of 2 observers on 3 pictures" in capsys.readouterr().err
    assert_given_back(tmp_path / "set", known)


@pytest.mark.parametrize("name", MAKERS)
def test_fixations_of_osie_are_given_back(name: str, tmp_path: Path) -> None:
    """Real fixations of 60 pictures, written as each tracker writes them."""
    source = shared("data/osie")
    looks, sizes = [], {}
    (tmp_path / "photos").mkdir()
    for sample in open_dataset(source).samples[:60]:
        file = sample.image_file
        assert isinstance(file, Path)
        (tmp_path / "photos" / file.name).symlink_to(file)
        gaze = sample.gaze()
        assert gaze is not None and gaze.points is not None
        sizes[file.name] = gaze.shape[::-1]
        for observer in (1, 2):
            for at, (x, y) in enumerate(gaze.points[gaze.observers == observer]):
                looks.append(Look(file.name, observer, x, y, 150 + at, 1000 * len(looks)))
    looks.sort(key=lambda look: (look.observer, look.start))
    known = Known(tmp_path / "photos", sizes, looks)  # type: ignore[arg-type]
    tracker, make, choices = MAKERS[name]
    files = make(known, tmp_path / "export")
    done: Imported = import_export(
        tracker, files, known.folder, tmp_path / "set", choices, show=False
    )
    assert_given_back(tmp_path / "set", known)
    assert done.fixations == len(looks)
