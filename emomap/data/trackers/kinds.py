"""The eye trackers by name, and how the exports of each call their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: What a reader looks for in a table; the first two must be there.
FIELDS = ("x", "y", "image", "observer", "trial", "start", "duration", "index", "event", "eye",
          "valid", "confidence", "left", "top", "width", "height")  # fmt: skip

_IMAGE = ("image", "image_name", "image_file", "imagefile", "img", "picture", "stimulus",
          "stimulus_name", "stim", "stim_file", "file")  # fmt: skip
_OBSERVER = ("participant", "participant_name", "participant_id", "observer", "subject",
             "subject_id", "recording_name", "recording", "session")  # fmt: skip


@dataclass(frozen=True)
class Tracker:
    """How the exports of a tracker look.

    Attributes:
        name: on the command line.
        title: for people.
        summary: one line for `emomap data import --help`.
        frame: what its coordinates are, see `emomap.data.trackers.placement.FRAMES`.
        columns: field -> names of its column, the likeliest first, without units and case.
        events: how the event column calls a fixation, if a table has other events, too.
        blinks: how it calls a blink.
        guess: whether durations may be in seconds or in microseconds, which is then guessed.
        confidence: fixations below are left out.
        screen: columns with width and height of the screen.
    """

    name: str
    title: str
    summary: str
    frame: str
    columns: Mapping[str, Sequence[str]]
    events: tuple[str, ...] = ()
    blinks: tuple[str, ...] = ("blink",)
    guess: bool = False
    confidence: float = 0.0
    screen: tuple[str, str] | tuple[()] = field(default=())


TRACKERS = {
    tracker.name: tracker
    for tracker in (
        Tracker(
            "eyelink",
            "EyeLink",
            "fixation report of Data Viewer, or .asc of edf2asc",
            "screen",
            {
                "x": ("current_fix_x", "fix_x"),
                "y": ("current_fix_y", "fix_y"),
                "image": (*_IMAGE, "trial_image", "bitmap"),
                "observer": ("recording_session_label", *_OBSERVER, "data_file"),
                "trial": ("trial_index", "trial_label", "trial"),
                "start": ("current_fix_start",),
                "index": ("current_fix_index",),
                "duration": ("current_fix_duration",),
                "eye": ("eye_reported", "current_fix_eye", "eye_used"),
            },
        ),
        Tracker(
            "tobii",
            "Tobii Pro Lab",
            "TSV of Tobii Pro Lab or Tobii Studio",
            "screen",
            {
                "x": ("fixation_point_x", "fixationpointx"),
                "y": ("fixation_point_y", "fixationpointy"),
                "image": ("presented_stimulus_name", "presented_media_name", "stimulus_name",
                          "media_name", "medianame", *_IMAGE),
                "observer": ("participant_name", "participantname", "recording_name",
                             "recordingname", *_OBSERVER),
                "trial": ("event_value", "trial"),
                "start": ("recording_timestamp", "recordingtimestamp", "start", "time"),
                "index": ("eye_movement_type_index", "eye_movement_event_index", "fixationindex",
                          "fixation_index"),
                "duration": ("eye_movement_event_duration", "gaze_event_duration",
                             "gazeeventduration"),
                "event": ("eye_movement_type", "gaze_event_type", "gazeeventtype"),
                "left": ("presented_media_position_x",),
                "top": ("presented_media_position_y",),
                "width": ("presented_media_width",),
                "height": ("presented_media_height",),
            },
            events=("fixation",),
            blinks=("eyesnotfound", "eyes_not_found"),
            screen=("recording_resolution_width", "recording_resolution_height"),
        ),
        Tracker(
            "pupil",
            "Pupil",
            "fixations.csv or fixations_on_surface_NAME.csv of Pupil Player",
            "picture-share-up",
            {
                "x": ("norm_pos_x", "x_norm"),
                "y": ("norm_pos_y", "y_norm"),
                "image": (*_IMAGE, "surface", "surface_name"),
                "observer": _OBSERVER,
                "trial": ("trial",),
                "start": ("start_timestamp", "world_timestamp", "start"),
                "index": ("fixation_id", "id"),
                "duration": ("duration",),
                "valid": ("on_surf",),
                "confidence": ("confidence",),
            },
            confidence=0.6,
        ),
        Tracker(
            "smi",
            "SMI BeGaze",
            "event statistics of BeGaze, or text of the IDF event detector",
            "screen",
            {
                "x": ("fixation_position_x", "location_x", "position_x",
                      "visual_intake_position_x"),
                "y": ("fixation_position_y", "location_y", "position_y",
                      "visual_intake_position_y"),
                "image": ("stimulus", "trial_image", *_IMAGE),
                "observer": ("participant", "subject", "subject_name", "name", *_OBSERVER),
                "trial": ("trial",),
                "start": ("event_start_trial_time", "event_start_raw", "start", "fixation_start"),
                "index": ("index", "number"),
                "duration": ("event_duration", "fixation_duration", "duration"),
                "event": ("category", "event_type", "event"),
                "eye": ("eye_l_r", "eye", "eye_left_right"),
            },
            events=("fixation", "visual intake", "fixation l", "fixation r"),
            blinks=("blink", "blink l", "blink r"),
            guess=True,
        ),
        Tracker(
            "psychopy",
            "PsychoPy",
            "CSV of an experiment in PsychoPy, a line for each fixation",
            "pix",
            {
                "x": ("fix_x", "fixation_x", "gaze_x", "x", "mean_x", "average_gaze_x", "pos_x"),
                "y": ("fix_y", "fixation_y", "gaze_y", "y", "mean_y", "average_gaze_y", "pos_y"),
                "image": _IMAGE,
                "observer": _OBSERVER,
                "trial": ("trials_thisn", "trials_this_n", "trial", "trial_number"),
                "start": ("fix_start", "start", "onset", "start_time", "fix_onset", "time"),
                "index": (),
                "duration": ("fix_duration", "fixation_duration", "fix_dur", "duration", "dur"),
                "event": ("event", "event_type"),
                "valid": ("valid",),
                "confidence": ("confidence",),
            },
            events=("fixation", "fix", "fixation_end"),
            guess=True,
        ),
    )
}  # fmt: skip
