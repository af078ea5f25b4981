"""Small data sets in every layout, written as their authors' files are; used by several tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import scipy.io
from PIL import Image
from scipy.ndimage import gaussian_filter

from emomap.data.labels import SIX
from emomap.sample import EMOTIONS

#: Height and width of all pictures made here.
SHAPE = (60, 80)
#: True fixations of every picture, 0-based x, y: far off the diagonal, so that a swap is seen.
POINTS = np.array([[70.0, 5.0], [60.0, 10.0], [65.0, 12.0], [5.0, 20.0], [40.0, 58.0]])


def picture(path: Path, seed: int = 0, shape: tuple[int, int] = SHAPE) -> Path:
    """A picture of noise that no other seed gives."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 255, (*shape, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


def counts() -> np.ndarray:
    found = np.zeros(SHAPE)
    np.add.at(found, (POINTS[:, 1].astype(int), POINTS[:, 0].astype(int)), 1)
    return found


def density(path: Path, sigma: float = 5.0) -> None:
    """The map that authors would ship with `POINTS`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    smooth = gaussian_filter(counts(), sigma, mode="constant")
    Image.fromarray((smooth / smooth.max() * 255).astype(np.uint8)).save(path)


def osie(root: Path) -> None:
    for seed, name in enumerate(("1001.jpg", "1002.jpg")):
        picture(root / "data/stimuli" / name, seed)
    subject = {
        "fix_x": POINTS[None, :, 0] + 1,
        "fix_y": POINTS[None, :, 1] + 1,
        "fix_duration": np.arange(100, 105, dtype=np.uint16)[None],
    }
    entries = np.empty((3, 1), dtype=object)
    for at, name in enumerate(("1001.jpg", "1002.jpg", "1700.jpg")):
        people = np.empty((2, 1), dtype=object)
        people[:, 0] = [subject, subject]
        entries[at, 0] = {"img": name, "subjects": people}
    (root / "data/eye").mkdir(parents=True)
    scipy.io.savemat(root / "data/eye/fixations.mat", {"fixations": entries}, do_compression=True)


def salicon_json(root: Path) -> None:
    names = {1: "COCO_train2014_000000000001.jpg", 2: "COCO_val2014_000000000002.jpg"}
    rows = (POINTS[:, ::-1] + 1).astype(int).tolist()
    for number, name in names.items():
        part = "train" if "train" in name else "val"
        picture(root / "images" / part / name, number)
        content = {
            "info": {"description": "made up"},
            "images": [{"id": number, "file_name": name, "height": 60, "width": 80}],
            "licenses": [{"id": 1, "url": "x"}],
            "type": "fixations",
            "annotations": [
                {"image_id": number, "fixations": rows, "worker_id": 7, "id": 1},
                {"image_id": number, "fixations": [], "worker_id": 8, "id": 2},
            ],
        }
        (root / "annotations").mkdir(exist_ok=True)
        (root / f"annotations/fixations_{part}2014.json").write_text(json.dumps(content))
    picture(root / "images/test/COCO_test2014_000000000003.jpg", 3)


def salicon_mat(root: Path) -> None:
    name = "COCO_val2014_000000000002"
    picture(root / f"images/val/{name}.jpg")
    kind = [("location", object), ("timestamp", object), ("fixations", object)]
    gaze = np.empty((2, 1), dtype=kind)
    for person in range(2):
        gaze[person, 0] = (POINTS + 1, np.arange(5.0)[:, None], POINTS + 1)
    (root / "fixations/val").mkdir(parents=True)
    content = {"image": name, "resolution": [SHAPE], "gaze": gaze}
    scipy.io.savemat(root / f"fixations/val/{name}.mat", content)
    density(root / f"maps/val/{name}.png", sigma=19 * 80 / 640)


def mit1003(root: Path) -> None:
    stem = "i" + "long_" * 15  # MATLAB cuts the variable's name to 63 characters
    picture(root / f"ALLSTIMULI/{stem}.jpeg")
    dwell = np.repeat(np.concatenate([[[40.0, 30.0]], POINTS]) + 1, 24, axis=0)
    jitter = np.random.default_rng(0).normal(0, 0.3, dwell.shape)
    samples = np.column_stack([dwell + jitter, np.zeros(len(dwell))])
    for person in ("ajs", "hp"):
        (root / "DATA" / person).mkdir(parents=True)
        content = {stem[:63]: {"imgName": f"{stem}.jpeg", "DATA": {"eyeData": samples}}}
        scipy.io.savemat(root / f"DATA/{person}/{stem}.mat", content, long_field_names=True)
    density(root / f"ALLFIXATIONMAPS/{stem}_fixMap.jpg", sigma=3.0)


def mit300(root: Path) -> None:
    picture(root / "BenchmarkIMAGES/i1.jpg")


def cat2000(root: Path) -> None:
    for category in ("Action", "Art"):
        picture(root / f"trainSet/Stimuli/{category}/001.jpg", len(category))
        picture(root / f"trainSet/Stimuli/{category}/Output/001_SaliencyOutput.jpg")
        place = root / f"trainSet/FIXATIONLOCS/{category}"
        place.mkdir(parents=True)
        scipy.io.savemat(place / "001.mat", {"fixLocs": counts().astype(np.uint8)})
        density(root / f"trainSet/FIXATIONMAPS/{category}/001.jpg", sigma=3.0)
    picture(root / "testSet/Stimuli/Action/001.jpg", 99)


def pascals(root: Path) -> None:
    picture(root / "datasets/imgs/pascal/1.jpg")
    picture(root / "datasets/imgs/pascal/2.jpg", 1)
    (root / "datasets/fixations").mkdir(parents=True)
    with h5py.File(root / "datasets/fixations/pascalFix.mat", "w", userblock_size=512) as file:
        cells = file.create_dataset("fixCell", (1, 2), dtype=h5py.ref_dtype)
        cells.attrs["MATLAB_class"] = np.bytes_("cell")
        for at in range(2):
            person = np.repeat(at + 1.0, len(POINTS))
            table = np.column_stack([POINTS[:, ::-1] + 1, person])
            cell = file.create_dataset(f"#refs#/{at}", data=table.T)  # HDF5 holds columns first
            cell.attrs["MATLAB_class"] = np.bytes_("double")
            cells[0, at] = cell.ref


def toronto(root: Path) -> None:
    place = root / "eyetrackingdata/fixdens"
    white = np.empty((1, 2), dtype=object)
    for number in (1, 2):
        picture(place / f"Original Image Set/{number}.jpg", number)
        folder = "Density Maps Produced from Raw Experimental Eye Tracking Data"
        density(place / folder / f"d{number}.jpg")
        white[0, number - 1] = counts().astype(np.uint8)
    scipy.io.savemat(place / "origfixdata.mat", {"white": white})


def nusef(root: Path) -> None:
    place = root / "NUSEF_database"
    picture(place / "stimuli/1007.jpg")
    (place / "fix_data/1007").mkdir(parents=True)
    # 80 x 60 fills a screen of 1024 x 768: 12.8 times as large, no margins
    units = POINTS * 12.8 * np.array([260 / 1024, 280 / 768])
    lines = [f"1 1 1 0 00:00:00.000 0.250 0.05 3.1 {x:.6f} {y:.6f} 40 24 0 0 0" for x, y in units]
    for person in ("a", "b"):
        (place / f"fix_data/1007/{person}+1007.fix").write_text(
            "header\nCOLS=plane\n" + "\n".join(lines) + "\n[Fix Segment Summary]\n1 2 3\n"
        )


def emod(root: Path) -> None:
    for number in (1, 2, 1019):
        picture(root / f"EMOdImages1019/{number}.jpg", number)
        density(root / f"FixationMap/Continous_map/{number}.jpg")
        place = root / "FixationMap/Binary_map"
        place.mkdir(exist_ok=True)
        Image.fromarray((counts() * 255).astype(np.uint8)).save(place / f"{number}.jpg", quality=95)
    table = np.zeros((3, 15))
    table[:, 0] = (1, 2, 1019)
    table[:, 6:] = np.eye(9)[:3]
    scipy.io.savemat(root / "allfindata1019_renamed.mat", {"allfindata1019": table})


def emotionroi(root: Path) -> None:
    for at, emotion in enumerate(SIX):
        for number in (1, 2):
            picture(root / f"images/{emotion}/{number}.jpg", 2 * at + number)
            density(root / f"ground_truth/{emotion}/{number}.jpg")
    (root / "training_testing_split").mkdir()
    for number, name in ((1, "training"), (2, "testing")):
        lines = "\n".join(f"{emotion}/{number}.jpg" for emotion in SIX)
        (root / f"training_testing_split/{name}.txt").write_text(lines)


def emotion6(root: Path) -> None:
    header = ["[image_filename]", "[valence]", "[arousal]"]
    header += [f"[prob. {name}]" for name in (*SIX, "neutral")]
    lines = ["\t".join(header)]
    for at, emotion in enumerate(SIX):
        picture(root / f"images/{emotion}/1.jpg", at)
        shares = np.full(7, 0.1)
        shares[(at + 1) % 7] = 0.4
        lines.append("\t".join([f"{emotion}/1.jpg", "4.1", "5.2", *map(str, shares)]))
    (root / "ground_truth.txt").write_text("\n".join(lines))


def emoset(root: Path) -> None:
    for at, split in enumerate(("train", "val", "test")):
        items = []
        for number, emotion in enumerate(EMOTIONS):
            path = f"image/{emotion}/{emotion}_{at:05d}.jpg"
            picture(root / path, 10 * at + number)
            extra = ["more"] if split == "test" else []
            about = f"annotation/{emotion}/{emotion}_{at:05d}.json"
            (root / about).parent.mkdir(parents=True, exist_ok=True)
            (root / about).write_text(
                json.dumps(
                    {"image_id": "x", "emotion": emotion, "brightness": 0.5}
                    | (
                        {"scene": "beach", "object": ["Dog", "Tree"], "human_action": None}
                        if at
                        else {}
                    )
                )
            )
            items.append([emotion, path, about, *extra])
        (root / f"{split}.json").write_text(json.dumps(items))
    (root / "info.json").write_text("{}")


def ldl(root: Path) -> None:
    header = "images-name Amusement Awe Contentment Excitement Anger Disgust Fear Sadness"
    lines = ["1.jpg 3 0 0 0 1 0 4 0", "2.jpg 4 0 0 0 0 0 4 0", "3.jpg 0 8 0 0 0 0 0 0"]
    for number in (1, 2, 3):
        picture(root / f"images/{number}.jpg", number)
    (root / "ground_truth.txt").write_text("\n".join([header, *lines]) + "\n")


def ldl_split(root: Path) -> None:
    for number in (1, 2):
        picture(root / f"images/{number}.jpg", number)
    (root / "ground_truth_train.txt").write_text("1.jpg 0.375 0 0 0 0.125 0 0.5 0 6\n")
    (root / "ground_truth_test.txt").write_text("2.jpg 0 1 0 0 0 0 0 0 1 \n")


def oasis(root: Path) -> None:
    for at, name in enumerate(("Acorns 1", "Alcohol 1", "Fire 2")):
        picture(root / f"Images/{name}.jpg", at)
    (root / "OASIS.csv").write_text(
        '"","Theme","Category","Source","Valence_mean","Valence_SD","Arousal_mean"\n'
        '"I1","Acorns 1 ","Object","Pixabay",4.69,1.0,2.35\n'
        '"I2","Alcohol 1","Object","Wiki",4.7,1.1,2.9\n"I3","Fire 2","Scene","Wiki",1.2,.9,6.5\n'
    )


def gaped(root: Path) -> None:
    for at, name in enumerate(("A/A001", "A/A002", "Sn/Sn001")):
        picture(root / f"GAPED/{name}.bmp", at)
    (root / "GAPED/A_with SD.txt").write_text(
        "Picture Valence (SD) Arousal (SD) Ext Int\nA001.bmp 12.5 (9.1) 71.25 (20) 30 20\n"
        "A002.bmp\t20.1\t(3.3)\t60\t(1.5)\n"
    )
    (root / "GAPED/Sn.txt").write_text("Picture Valence Arousal\nSn001.bmp 40 55\n")


def twitter1(root: Path) -> None:
    for number in range(3):
        picture(root / f"Twitter_PCNN/Agg_AMT_Candidates/{number}.jpg", number)
    (root / "Twitter_PCNN/amt_result.csv").write_text(
        "imagename,total,negative,positive\n0.jpg,5,0,5\n1.jpg,5,4,1\n2.jpg,5,2,3\n"
    )


def abstract(root: Path) -> None:
    place = root / "testImages_abstract"
    for number in (1, 2, 3):
        picture(place / f"abstract_000{number}.jpg", number)
    (place / "ABSTRACT_groundTruth.csv").write_text(
        "'','Amusement','Anger','Awe','Content','Disgust','Excitement','Fear','Sad'\n"
        "'abstract_0001.jpg',1,0,4,5,0,3,1,0\n"
        "'abstract_0002.jpg',2,0,5,5,0,3,1,1\n"
        "'abstract_0003.jpg',1,0,0,0,0,3,1,9\n"
    )


def artphoto(root: Path) -> None:
    for at, start in enumerate(("amusement", "content", "sad", "awe")):
        picture(root / f"testImages_artphoto/{start}_0001.jpg", at)


def fi_folders(root: Path) -> None:
    for at, emotion in enumerate(EMOTIONS):
        for number in (1, 2):
            picture(root / f"emotion_dataset/{emotion}/{emotion}_{number:04d}.jpg", 2 * at + number)


def fi_flat(root: Path) -> None:
    for at, emotion in enumerate(EMOTIONS):
        picture(root / f"images/{emotion}_0001.jpg", at)


def fi_wscnet(root: Path) -> None:
    for at, emotion in enumerate(EMOTIONS):
        picture(root / f"FI/train/{emotion}/1{at}.jpg", at)
        picture(root / f"FI/val/{emotion}/2{at}.jpg", 10 + at)


def fi_lists(root: Path) -> None:
    numbered = (
        "amusement",
        "contentment",
        "awe",
        "excitement",
        "fear",
        "sadness",
        "disgust",
        "anger",
    )
    lists: dict[str, list[str]] = {"Train": [], "Test": []}
    for number, emotion in enumerate(numbered, start=1):
        for at, part in enumerate(lists):
            picture(root / f"FI/Images/{emotion.capitalize()}/{number}{at}_z.jpg", 10 * number + at)
            lists[part].append(f"{number}/{number}{at}_z.jpg")
    for part, lines in lists.items():
        (root / f"FI/{part}Images.txt").write_text("\n".join(lines) + "\n")


def fi_links(root: Path) -> None:
    (root / "agg").mkdir(parents=True)
    link = "http://farm1.staticflickr.com/0/{}_abc.jpg"
    (root / "agg/fear_1.csv").write_text(
        f"fear,{link.format(0)},0,5\r\nfear,{link.format(1)},3,2\r\nfear,{link.format(3)},1,4\r\n"
    )
    (root / "agg/awe_1.csv").write_text(
        f"awe,{link.format(0)},2,3\r\nawe,{link.format(2)},1,4\r\nawe,{link.format(3)},1,4\r\n"
    )
    for number in (0, 1, 3):
        picture(root / f"pictures/{number}_abc.jpg", number)


def neutral(root: Path) -> None:
    for at, name in enumerate(("a/one", "a/two", "b/three")):
        picture(root / f"images/{name}.jpg", at)
        table = root / f"fixations/{name}.csv"
        table.parent.mkdir(parents=True, exist_ok=True)
        rows = [f"{x},{y},{i % 2},200" for i, (x, y) in enumerate(POINTS)]
        table.write_text("x,y,observer,duration\n" + "\n".join(rows) + "\n")
        density(root / f"maps/{name}.png")
    (root / "labels.csv").write_text("image,emotion\na/one,awe\na/two.jpg,Fear\nthree,sadness\n")
    (root / "split.csv").write_text("image,split\na/one,train\na/two,val\nb/three,test\n")


#: Layout -> builders of it.
BUILDERS: dict[str, tuple[Callable[[Path], None], ...]] = {
    "osie": (osie,),
    "salicon": (salicon_json, salicon_mat),
    "mit1003": (mit1003,),
    "mit300": (mit300,),
    "cat2000": (cat2000,),
    "pascals": (pascals,),
    "toronto": (toronto,),
    "nusef": (nusef,),
    "emod": (emod,),
    "emotionroi": (emotionroi,),
    "emotion6": (emotion6,),
    "ldl": (ldl, ldl_split),
    "emoset": (emoset,),
    "twitter1": (twitter1,),
    "abstract": (abstract,),
    "artphoto": (artphoto,),
    "fi": (fi_folders, fi_flat, fi_wscnet, fi_lists, fi_links),
    "neutral": (neutral,),
    "ratings": (oasis, gaped),
}
