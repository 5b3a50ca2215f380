"""The command, against a Gen3D that does what a test says: what it prints, writes and ends with."""

import base64
import json
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from client.tests.pretend import JOB, PNG, Pretend
from gen3d_client import command, commands, follow
from gen3d_client.sign_ins import Kept

Out = pytest.CaptureFixture[str]


def gen3d(*words: object) -> int:
    return command.main([str(word) for word in words])


def mesh(photo: Path, *more: object) -> int:
    return gen3d("mesh", photo, "--mask", photo.with_name("mask.png"), *more)


def looks(pretend: Pretend, *last: dict[str, Any]) -> None:
    """A job's way: created, prepared, and on."""
    pretend.jobs[JOB] = [pretend.job("CREATED"), pretend.job("INITIALIZING"), *last]


def sent(pretend: Pretend) -> Any:
    """What a job was asked for."""
    return json.loads(dict(pretend.asked)["POST /api/jobs"])


def test_a_photo_and_a_mask_become_a_file(
    pretend: Pretend, kept: Kept, photo: Path, capsys: Out
) -> None:
    far = {"phase": "surface", "fraction": 0.5, "restSeconds": 3}
    offers = {"mesh": {"quality": {"values": ["fast", "fine"]}}}
    works = pretend.job("RECONSTRUCTING", objects=[{"progress": far}], offers=offers)
    looks(pretend, works, pretend.done())
    assert mesh(photo, "--out", "here/chair.draco.glb", "--option", "mesh.quality=fine") == 0
    assert Path("here/chair.draco.glb").read_text() == "draco.glb"
    said = capsys.readouterr()
    assert said.out == "here/chair.draco.glb\n"
    assert "surface, 50%, about 3 s left" in said.err
    assert "may be chosen by --option: mesh.quality=fast|fine" in said.err
    mask = base64.b64encode(PNG).decode()
    chair = {"name": "chair", "options": {"mesh": {"quality": "fine"}}, "mask": mask}
    photo_is = {"filename": "chair.jpg", "contentType": "image/jpeg"}
    assert sent(pretend) == {**photo_is, "objects": [chair]}
    assert kept.unfinished(JOB) is None


def test_without_an_out_it_is_called_like_the_photo(
    pretend: Pretend, kept: Kept, photo: Path, capsys: Out
) -> None:
    looks(pretend, pretend.done())
    assert mesh(photo, "--json", "--quiet") == 0
    said = capsys.readouterr()
    job = json.loads(said.out)
    assert (job["status"], job["written"], said.err) == ("COMPLETED", ["chair.glb"], "")


def test_a_folder_gets_everything(pretend: Pretend, kept: Kept, photo: Path) -> None:
    looks(pretend, pretend.done())
    assert mesh(photo, "--out", "all") == 0
    names = {path.name for path in Path("all").iterdir()}
    assert names == {"mesh.glb", "mesh.draco.glb", "mesh.stl", "preview.png"}


def test_a_format_that_there_is_not_is_named_with_those_there_are(
    pretend: Pretend, kept: Kept, photo: Path, capsys: Out
) -> None:
    pretend.jobs[JOB] = [pretend.done()]
    assert gen3d("fetch", JOB, "--out", "chair.fbx") == 1
    assert "it may end with: draco.glb, glb, png, stl" in capsys.readouterr().err
    assert gen3d("fetch", JOB, "--out", "chair.png") == 0
    assert Path("chair.png").read_text() == "preview"
    assert gen3d("fetch", JOB) == 0  # called as the job is
    assert Path("chair.glb").read_text() == "glb"


def test_several_objects_are_a_scene_or_a_folder(pretend: Pretend, kept: Kept, photo: Path) -> None:
    things = [
        {"n": n, "name": name, "status": "COMPLETED", "files": {"glb": pretend.link(f"{n}")}}
        for n, name in enumerate(("../../cup", "plate"))
    ]
    scene = {"files": {"glb": pretend.link("scene"), "../x": pretend.link("x")}}
    looks(pretend, pretend.done(objects=things, scene=scene))
    words = ["--object", "cup", "--mask", "mask.png", "--object", "plate", "--mask", "mask.png"]
    assert gen3d("mesh", photo, *words, "--out", "all") == 0
    found = sorted(str(path) for path in Path("all").rglob("*") if path.is_file())
    assert found == ["all/0-cup/mesh.glb", "all/1-plate/mesh.glb", "all/scene.glb"]
    assert gen3d("fetch", JOB, "--out", "both.glb") == 0
    assert Path("both.glb").read_text() == "scene"


def test_an_object_that_came_to_nothing_is_told_and_the_other_kept(
    pretend: Pretend, kept: Kept, photo: Path, capsys: Out
) -> None:
    things = [
        {"n": 0, "name": "cup", "files": {"glb": pretend.link("0")}},
        {"n": 1, "name": "pen", "error": {"error": "EmptySurface", "message": "Nothing there."}},
    ]
    pretend.jobs[JOB] = [pretend.done(objects=things)]
    assert gen3d("watch", JOB, "--out", "all") == 5
    assert "1 of 2 objects came to nothing. Nothing there." in capsys.readouterr().err
    assert Path("all/0-cup/mesh.glb").exists()


def test_what_failed_ends_with_its_sentence_and_its_draft(
    pretend: Pretend, kept: Kept, photo: Path, capsys: Out
) -> None:
    error = {"error": "EndpointUnavailable", "message": "The endpoint did not wake."}
    draft = {"n": 0, "name": "chair", "draft": {"files": {"glb": pretend.link("draft")}}}
    looks(pretend, pretend.job("FAILED", error=error, objects=[draft]))
    assert mesh(photo) == 5
    said = capsys.readouterr().err
    assert "gen3d: The endpoint did not wake." in said
    assert f"gen3d fetch {JOB} --draft" in said
    assert gen3d("fetch", JOB, "--draft", "--out", "d.glb") == 0
    assert Path("d.glb").read_text() == "draft"


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        ("CANCELLED", 5, "ended as CANCELLED"),
        ("EXPIRED", 5, "ended as EXPIRED"),
        ("ARCHIVED", 6, "ended as ARCHIVED, which is not known here"),
    ],
)
def test_how_a_job_ended_is_its_exit_code(
    pretend: Pretend, kept: Kept, capsys: Out, status: str, code: int, words: str
) -> None:
    pretend.jobs[JOB] = [pretend.job("POLISHING", pollSeconds=0), pretend.job(status)]
    assert gen3d("watch", JOB) == code
    said = capsys.readouterr().err
    assert words in said
    assert "POLISHING" in said  # a status that nobody knows is waited for all the same


def test_a_field_that_is_not_known_is_passed_on_and_one_that_is_missing_named(
    pretend: Pretend, kept: Kept, capsys: Out
) -> None:
    pretend.jobs[JOB] = [pretend.done(colour={"space": "P3"})]
    assert gen3d("watch", JOB, "--json") == 0
    assert json.loads(capsys.readouterr().out)["colour"] == {"space": "P3"}
    del pretend.jobs[JOB][0]["status"]
    assert gen3d("watch", JOB) == 6
    said = capsys.readouterr().err
    assert "status: Field required" in said
    assert "pip install --upgrade gen3d-client" in said


def test_an_error_is_json_where_json_is_asked_for(
    pretend: Pretend, kept: Kept, capsys: Out
) -> None:
    assert gen3d("watch", JOB, "--json") == 1
    said = json.loads(capsys.readouterr().err)
    assert said == {"error": "JobNotFound", "message": "There is no such job.", "exitCode": 1}


@pytest.mark.parametrize("where", ["upload", "initialize"])
def test_of_a_photo_that_is_refused_no_job_is_left(
    pretend: Pretend, kept: Kept, photo: Path, capsys: Out, where: str
) -> None:
    if where == "upload":
        photo.write_bytes(photo.read_bytes() + bytes(10_000))
        says = "chair.jpg has 0.0 MB, which is too large. At most 1000 MB are taken."
    else:
        refusal = {"error": "ImageTooLarge", "message": "At most 40 megapixels."}
        pretend.answers[f"POST /api/jobs/{JOB}/initialize"] = [(413, refusal)]
        says = "At most 40 megapixels."
    assert mesh(photo) == 1
    assert says in capsys.readouterr().err
    assert pretend.jobs == {}
    assert kept.unfinished(JOB) is None


def test_a_limit_leaves_the_job_to_be_gone_on_with(
    pretend: Pretend, kept: Kept, photo: Path, capsys: Out
) -> None:
    looks(pretend, pretend.done())
    refusal = {"error": "LimitReached", "message": "Three jobs are at work.", "retryAfter": 60}
    pretend.answers[f"POST /api/jobs/{JOB}/initialize"] = [(429, refusal)]
    assert mesh(photo, "--out", "late.glb") == 1
    assert "Three jobs are at work." in capsys.readouterr().err
    assert gen3d("watch", JOB) == 0
    assert Path("late.glb").exists()


def test_an_interrupted_command_is_gone_on_with_wherever_it_was(
    pretend: Pretend, kept: Kept, photo: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the photo is up, before it has begun, and after."""
    missing = {"error": "ImageMissing", "message": "There is no photo."}
    initialize = f"POST /api/jobs/{JOB}/initialize"
    for broken, again in (
        ("POST /upload", {initialize: [(422, missing)]}),
        (initialize, {}),
        ("GET /files/glb", {}),
    ):
        looks(pretend, pretend.done())
        with monkeypatch.context() as patch:
            patch.setattr(commands, "Client", _Interrupted(broken))
            assert mesh(Path(photo.name), "--out", "late.glb") == 130, broken
        assert f"gen3d watch {JOB}" in capsys.readouterr().err
        pretend.answers = again
        looks(pretend, pretend.done())
        Path("elsewhere").mkdir(exist_ok=True)
        with monkeypatch.context() as patch:
            patch.chdir("elsewhere")
            assert gen3d("watch", JOB) == 0, broken
        assert Path("late.glb").read_text() == "glb"
        Path("late.glb").unlink()
        assert kept.unfinished(JOB) is None


class _Interrupted:
    """Makes clients whose person presses Ctrl-C when something is asked."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        from gen3d_client.client import Client

        client = Client(*arguments, **named)
        send = client._http.send

        def interrupted(request: Any, **more: Any) -> Any:
            if f"{request.method} {request.url.path}" == self._what:
                raise KeyboardInterrupt
            return send(request, **more)

        client._http.send = interrupted  # type: ignore[method-assign]
        return client


def test_a_network_that_goes_away_is_told_with_how_to_go_on(
    pretend: Pretend, kept: Kept, photo: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "LONG_PATIENCE", 0.05)
    looks(pretend, pretend.done())
    pretend.answers[f"GET /api/jobs/{JOB}"] = 9 * [(0, "")]
    assert mesh(photo, "--out", "late.glb") == 4
    said = capsys.readouterr().err
    assert "127.0.0.1 does not answer" in said
    assert f"gen3d watch {JOB}" in said
    pretend.answers.clear()
    assert gen3d("watch", JOB) == 0
    assert Path("late.glb").exists()


def test_of_a_job_without_files_none_can_be_got(pretend: Pretend, kept: Kept, capsys: Out) -> None:
    pretend.jobs[JOB] = [pretend.job("FAILED", objects=[{"n": 0}])]
    for words, says in ((["a.glb"], "no mesh to get"), (["a.glb", "--draft"], "no draft of it")):
        assert gen3d("fetch", JOB, "--out", *words) == 1
        assert f"The job is FAILED, and there is {says}" in capsys.readouterr().err
    assert gen3d("fetch", JOB, "--out", "all") == 1
    assert "has no files" in capsys.readouterr().err


def test_a_wait_that_is_over_is_no_end(
    pretend: Pretend, kept: Kept, photo: Path, capsys: Out
) -> None:
    looks(pretend, pretend.job("RECONSTRUCTING"))
    assert mesh(photo, "--wait", "0.1") == 7
    assert f"gen3d watch {JOB}" in capsys.readouterr().err
    assert kept.unfinished(JOB)


def test_a_job_that_waits_for_somebody_else_says_so(
    pretend: Pretend, kept: Kept, capsys: Out
) -> None:
    looks(pretend, *2 * [pretend.job("AWAITING_MASK")], pretend.done())
    assert gen3d("watch", JOB) == 0
    assert capsys.readouterr().err.count("waits for somebody's clicks") == 1


def test_a_retry_waits_for_its_own_run(pretend: Pretend, kept: Kept) -> None:
    """A moment after it was asked for, the record still says how the last run ended."""
    failed = pretend.job("FAILED", error={"error": "OutOfMemory", "message": "Too large."})
    pretend.jobs[JOB] = [failed, failed, failed, pretend.job("RECONSTRUCTING", run=2)]
    pretend.jobs[JOB].append(pretend.done(run=2))
    assert gen3d("retry", JOB, "--object", "0", "--option", "engine.seed=3", "--out", "a.glb") == 0
    sent = json.loads(dict(pretend.asked)[f"POST /api/jobs/{JOB}/retry"])
    assert sent == {"objects": [{"n": 0, "options": {"engine": {"seed": 3}}}], "scene": False}
    assert Path("a.glb").exists()


def test_jobs_are_listed_without_what_a_terminal_obeys(
    pretend: Pretend, kept: Kept, capsys: Out
) -> None:
    pretend.jobs[JOB] = [pretend.done()]
    assert gen3d("jobs") == 0
    said = capsys.readouterr().out
    assert said.splitlines()[1].split() == [
        JOB,
        "COMPLETED",
        "2026-11-29",
        "10:00",
        "1",
        "a",
        "[31m",
    ]
    assert gen3d("jobs", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["jobId"] == JOB


def test_an_old_token_is_renewed_and_kept(pretend: Pretend, kept: Kept) -> None:
    pretend.good = set()
    renewed = pretend._cognito

    def renew(body: Any) -> Any:
        pretend.good.add("good")
        return renewed(body)

    pretend._cognito = renew  # type: ignore[method-assign]
    assert gen3d("jobs") == 0
    assert pretend.renewals == 1
    found = kept.sign_in()
    assert found.tokens is not None
    found.tokens.until = 0
    kept.keep(found)
    assert gen3d("jobs") == 0
    assert pretend.renewals == 2
    renewed_tokens = kept.sign_in().tokens
    assert renewed_tokens is not None
    assert renewed_tokens.until > 0
    assert renewed_tokens.refresh_token == "r"


def test_a_sign_in_that_is_over_is_named(pretend: Pretend, kept: Kept, capsys: Out) -> None:
    pretend.good, pretend.revoked = set(), ["r"]
    assert gen3d("jobs") == 3
    assert f"Sign in again: gen3d login {pretend.url}" in capsys.readouterr().err


def test_signing_out_ends_it_there_too(pretend: Pretend, kept: Kept, capsys: Out) -> None:
    assert gen3d("logout") == 0
    assert pretend.revoked == ["r"]
    assert gen3d("jobs") == 3
    assert "Nobody is signed in. Sign in: gen3d login https://…" in capsys.readouterr().err


def test_nobody_else_may_read_a_sign_in(kept: Kept) -> None:
    (file,) = kept.folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.folder.stat().st_mode) == 0o700


def test_a_kept_file_that_is_broken_is_named(kept: Kept, capsys: Out) -> None:
    (kept.folder / "sign-ins.json").write_text("{")
    assert gen3d("jobs") == 1
    assert "sign-ins.json cannot be read. Delete it" in capsys.readouterr().err


def test_what_passes_by_itself_is_asked_again(pretend: Pretend, kept: Kept) -> None:
    pretend.jobs[JOB] = [pretend.done()]
    busy = {"error": "DependencyUnavailable", "message": "Later.", "retryAfter": 0}
    pretend.answers[f"GET /api/jobs/{JOB}"] = [(503, busy), (0, ""), (429, {"message": "Many"})]
    assert gen3d("watch", JOB) == 0
    assert pretend.paths().count(f"GET /api/jobs/{JOB}") == 4


def test_a_job_is_not_made_twice_where_the_answer_was_lost(
    pretend: Pretend, kept: Kept, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by the command, nor by the same command again; another time it is another job."""
    pretend.answers["POST /api/jobs"] = 99 * [(0, "")]
    assert mesh(photo) == 4
    tried = len(pretend.words)
    assert tried > 1
    busy = {"error": "JobConflict", "message": "It is just being answered.", "retryAfter": 0}
    pretend.answers["POST /api/jobs"] = [(0, ""), (409, busy)]
    monkeypatch.chdir(photo.parent.parent)  # the same files, named otherwise
    looks(pretend, pretend.done())
    assert mesh(Path(photo.parent.name) / photo.name, "--out", photo.with_name("a.glb")) == 0
    assert len(set(pretend.words)) == 1
    assert len(pretend.words) == tried + 3
    looks(pretend, pretend.done())
    assert mesh(photo, "--out", photo.with_name("b.glb")) == 0
    assert len(set(pretend.words)) == 2


def test_a_refusal_is_no_answer_that_was_lost(pretend: Pretend, kept: Kept, photo: Path) -> None:
    refusal = {"error": "LimitReached", "message": "Twenty jobs a day."}
    pretend.answers["POST /api/jobs"] = [(429, refusal)]
    assert mesh(photo) == 1
    looks(pretend, pretend.done())
    assert mesh(photo) == 0
    assert len(set(pretend.words)) == 2


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ([], {"subject": "auto"}),
        (["--auto"], {"subject": "auto"}),
        (["--click", "20,10", "--click", "-5,10"],
         {"clicks": [{"x": 0.5, "y": 0.5, "inside": True},
                     {"x": 0.125, "y": 0.5, "inside": False}]}),
        (["--click", "45%,30%"], {"clicks": [{"x": 0.45, "y": 0.3, "inside": True}]}),
        (["--box", "10,5,30,20"], {"box": {"left": 0.25, "top": 0.25, "right": 0.75, "bottom": 1}}),
        (["--box", "0%,0%,50%,100%", "--click", "-10%,10%"],
         {"clicks": [{"x": 0.1, "y": 0.1, "inside": False}],
          "box": {"left": 0, "top": 0, "right": 0.5, "bottom": 1}}),
        (["--text", "the red cup"], {"text": "the red cup"}),
        (["--text", "cup", "--certainty", "0.7"], {"text": "cup", "certainty": 0.7}),
        (["--certainty", "0", "--text", "cup"], {"text": "cup", "certainty": 0.0}),
        (["--polygon", "0,0 20,0 20,10"], {"polygon": [[0, 0], [0.5, 0], [0.5, 0.5]]}),
        (["--mask", "mask.json"], {"rle": {"size": [20, 40], "counts": "abc"}}),
    ],
)  # fmt: skip
def test_what_shows_an_object_is_said_in_the_request(
    pretend: Pretend, kept: Kept, photo: Path, words: list[str], shown: Any
) -> None:
    Image.new("RGB", (40, 20)).save(photo)
    rle = {"size": [20, 40], "counts": "abc", "segment": 7}
    photo.with_name("mask.json").write_text(json.dumps(rle))
    looks(pretend, pretend.done())
    assert gen3d("mesh", photo, *words) == 0
    assert sent(pretend)["objects"] == [{"name": "chair", **shown}]
    assert f"POST /api/jobs/{JOB}/reconstruct" not in pretend.paths()


def test_each_object_has_what_shows_it(pretend: Pretend, kept: Kept, photo: Path) -> None:
    looks(pretend, pretend.done())
    words = ["--object", "cup", "--click", "50%,50%", "--object", "pen", "--option", "mesh.faces=9"]
    assert gen3d("mesh", photo, *words, "--out", "all") == 0
    cup, pen = sent(pretend)["objects"]
    assert cup == {"name": "cup", "clicks": [{"x": 0.5, "y": 0.5, "inside": True}]}
    assert pen == {"name": "pen", "subject": "auto", "options": {"mesh": {"faces": 9}}}


def test_a_photo_may_lie_elsewhere(pretend: Pretend, kept: Kept, capsys: Out) -> None:
    """The service fetches it, so that nothing goes up; then it is as any other."""
    url = "https://example.com/a/my%20chair.jpg?size=large"
    pretend.jobs[JOB] = [pretend.job("INITIALIZING"), pretend.done()]
    assert gen3d("mesh", "--url", url, "--click", "45%,30%") == 0
    assert Path("my-chair.glb").read_text() == "glb"
    clicks = [{"x": 0.45, "y": 0.3, "inside": True}]
    assert sent(pretend) == {"imageUrl": url, "objects": [{"clicks": clicks}]}
    assert not {"POST /upload", f"POST /api/jobs/{JOB}/initialize"} & {*pretend.paths()}
    refusal = {"error": "AddressRefused", "message": "It is not public."}
    pretend.answers["POST /api/jobs"] = [(422, refusal)]
    assert gen3d("mesh", "--url", "https://localhost/a.jpg") == 1
    assert "It is not public." in capsys.readouterr().err


def test_a_depth_map_goes_up_before_its_photo(
    pretend: Pretend, kept: Kept, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a job of which the photo is there has both, wherever the command was interrupted."""
    depth = photo.with_name("depth.png")
    depth.write_bytes(b"how far away")
    uploads = [f"POST /api/jobs/{JOB}/initialize"]
    looks(pretend, pretend.done())
    assert gen3d("mesh", photo, "--depth", depth.name) == 0
    assert sent(pretend)["depth"] is True
    first, second = (body for what, body in pretend.asked if what == "POST /upload")
    assert b"how far away" in first
    assert photo.read_bytes() in second

    pretend.asked.clear()
    looks(pretend, pretend.done())
    with monkeypatch.context() as patch:
        patch.setattr(commands, "Client", _Interrupted("POST /upload"))
        assert gen3d("mesh", photo, "--depth", depth.name, "--out", "late.glb") == 130
    missing = {"error": "ImageMissing", "message": "There is no photo."}
    pretend.answers = {uploads[0]: [(422, missing)]}
    looks(pretend, pretend.done())
    (photo.parent / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert gen3d("watch", JOB) == 0
    assert pretend.paths().count("POST /upload") == 2


def batch_of(pretend: Pretend, at_work: int = 0) -> dict[str, Any]:
    """Of three photos: made, failed, refused."""
    refusal = {"error": "FetchFailed", "message": "It answers 404."}
    failed = "01ARZ3NDEKTSV4RRFFQ69G5FAW"
    error = {"error": "NothingFound", "message": "Nothing stands out."}
    pretend.jobs = {JOB: [pretend.done()], failed: [pretend.job("FAILED", error=error)]}
    counts = {"waiting": 0, "atWork": at_work, "completed": 1 - at_work, "failed": 1, "refused": 1}
    jobs = [{"jobId": JOB, "status": "COMPLETED"}, {"jobId": failed, "status": "FAILED"}]
    return {
        "batchId": JOB,
        "counts": counts,
        "jobs": [*jobs, {"jobId": "01ARZ3NDEKTSV4RRFFQ69G5FAX", "error": refusal}],
    }


def test_many_photos_are_a_batch(pretend: Pretend, kept: Kept, capsys: Out) -> None:
    pretend.batches = [batch_of(pretend, at_work=1), batch_of(pretend)]
    urls = [f"https://a.example/{n}.jpg" for n in range(2)]
    shown = [{"url": "https://a.example/2.jpg", "click": "45%,30%", "option": "mesh.faces=9"}]
    Path("more.json").write_text(json.dumps(shown))
    assert gen3d("batch", *urls, "--manifest", "more.json", "--out", "all") == 5
    said = capsys.readouterr()
    assert "0 waiting, 1 at work, 0 completed, 1 failed, 1 refused" in said.err
    assert "2 of 3 photos came to nothing." in said.err
    _head, made, failed, refused = said.out.splitlines()
    assert made.split() == ["0", "COMPLETED", "all/00-chair.jpg.glb"]
    assert failed.split(maxsplit=2) == ["1", "FAILED", "Nothing stands out."]
    assert refused.split(maxsplit=2) == ["2", "refused", "It answers 404."]
    assert Path("all/00-chair.jpg.glb").read_text() == "glb"
    asked = json.loads(dict(pretend.asked)["POST /api/batches"])["photos"]
    assert asked[0] == {"imageUrl": urls[0], "objects": [{"subject": "auto"}]}
    clicks = [{"x": 0.45, "y": 0.3, "inside": True}]
    assert asked[2]["objects"] == [{"clicks": clicks, "options": {"mesh": {"faces": 9}}}]


def test_a_batch_is_gone_on_with(
    pretend: Pretend, kept: Kept, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend.batches = [batch_of(pretend, at_work=1)]
    monkeypatch.setattr(follow, "_BATCH_SECONDS", 0.01)
    assert gen3d("batch", "https://a.example/0.jpg", "--wait", "0.05", "--quiet") == 7
    assert f"gen3d batch --go-on {JOB}" in capsys.readouterr().err
    pretend.batches = [batch_of(pretend)]
    pretend.asked.clear()
    assert gen3d("batch", "--go-on", JOB, "--json") == 5
    assert json.loads(capsys.readouterr().out)["written"] == ["meshes/00-chair.jpg.glb"]
    assert "POST /api/batches" not in pretend.paths()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["mesh", "none.jpg"], 1, "none.jpg is not there"),
        (["mesh", "mask.txt"], 1, "mask.txt is no photo"),
        (["mesh", "chair.jpg", "--mask", "chair.jpg"], 1, "chair.jpg is no mask"),
        (["mesh", "chair.jpg", "--mask", "none.png"], 1, "none.png cannot be read"),
        (["mesh", "chair.jpg", "--click", "a"], 1, "'a' is no click"),
        (["mesh", "chair.jpg", "--click", "-1,1"], 1, "Every click is off the object"),
        (["mesh", "chair.jpg", "--click", "1,1", "--mask", "mask.png"], 1, "clicks and a box, or"),
        (["mesh", "chair.jpg", "--auto", "--text", "cup"], 1, "--auto takes what stands out"),
        (["mesh", "chair.jpg", "--certainty", "0.5"], 1, "name it by --text"),
        (["mesh", "chair.jpg", "--text", "cup", "--certainty", "70%"], 1, "from 0 to 1"),
        (["mesh", "chair.jpg", "--text", "cup", "--certainty", "nan"], 1, "from 0 to 1"),
        (["mesh", "chair.jpg", "--click", "101%,1%"], 1, "101%,1% is outside of the photo"),
        (["mesh", "chair.jpg", "--box", "1,2,3"], 1, "'1,2,3' is no box"),
        (["mesh", "chair.jpg", "--box", "9,1,2,8"], 1, "its left comes before its right"),
        (["mesh", "chair.jpg", "--polygon", "1,1 2,2"], 1, "is no outline"),
        (["mesh", "chair.jpg", "--mask", "large.png"], 1, "with one bit a pixel"),
        (["mesh"], 1, "Name a photo, or by --url"),
        (["mesh", "chair.jpg", "--url", "https://a/b.jpg"], 1, "Name a photo, or by --url"),
        (
            ["mesh", "--url", "https://a/b.jpg", "--click", "1,1"],
            1,
            "Write places in it in percent",
        ),
        (["mesh", "chair.jpg", "--depth", "none.png"], 1, "There is no file none.png"),
        (["mesh", "--url", "https://a/b.jpg", "--depth", "mask.png"], 1, "goes up with its photo"),
        (["mesh", "chair.jpg", "--option", "seed=1"], 1, "'seed=1' is no option"),
        (["mesh", "chair.jpg", "--mask", "mask.png", "--out", "chair.jpg/a.glb"], 1, "Nothing can"),
        (["batch"], 1, "Name photos by their addresses"),
        (["batch", "https://a/b.jpg", "--go-on", JOB], 1, "Name photos by their addresses"),
        (["batch", "--manifest", "mask.txt"], 1, "mask.txt is no list of photos"),
        (["batch", "--manifest", "odd.json"], 1, "'colour' is nothing that shows an object"),
        (["batch", "--manifest", "none.json"], 1, "none.json cannot be read"),
        (["retry", JOB, "--option", "engine.seed=1"], 1, "Say which object"),
        (["watch", "../sign-ins"], 1, "is no job's id"),
        (["login"], 1, "Name the address of the page"),
        (["login", "ftp://x"], 1, "is no address"),
        (["login", "http://gen3d.example"], 1, "without TLS"),
        (["login", "http://localhost:1", "--email", "a"], 4, "does not answer"),
        (["mcp", "--folder", "none"], 1, "none is no folder"),
    ],
)
def test_what_is_wrong_is_one_sentence_before_anything_is_asked(
    pretend: Pretend, kept: Kept, photo: Path, capsys: Out, words: list[str], code: int, says: str
) -> None:
    Path("mask.txt").write_text("no")
    Path("odd.json").write_text('[{"url": "https://a/b.jpg", "colour": "red"}]')
    Path("large.png").write_bytes(PNG + bytes(600_000))
    assert gen3d(*words) == code
    said = capsys.readouterr().err
    assert says in said
    assert len(said.strip().splitlines()) == 1
    assert pretend.asked == []


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((404, "no"), "config.json answers 404"),
        ((200, "<html>"), "is no Gen3D"),
        ((200, {"region": "x"}), "is no Gen3D (apiUrl: Field required)"),
        ((302, "https://gen3d.example/config.json"), "It leads to https://gen3d.example."),
    ],
)
def test_an_address_of_something_else_is_named(
    pretend: Pretend, home: Path, capsys: Out, answer: Any, says: str
) -> None:
    pretend.answers["GET /config.json"] = [answer]
    assert gen3d("login", pretend.url, "--email", "a@b.c") == 4
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("field", "url"),
    [
        ("endpoint", "http://evil.example"),
        ("endpoint", "https://evil.example"),
        ("apiUrl", "http://evil.example"),
    ],
)
def test_nobody_is_led_elsewhere_with_a_password(
    pretend: Pretend, home: Path, capsys: Out, field: str, url: str
) -> None:
    pretend.answers["GET /config.json"] = [(200, {**pretend.config(), field: url})]
    assert gen3d("login", pretend.url, "--email", "a@b.c") == 4
    assert url in capsys.readouterr().err


def test_two_at_once_lose_no_sign_in(kept: Kept) -> None:
    """A file is replaced whole; who reads it meanwhile finds the old one or the new one."""
    found = kept.sign_in()
    failures: list[Exception] = []

    def often() -> None:
        for _ in range(50):
            try:
                kept.keep(found)
                kept.sign_in()
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [path.name for path in kept.folder.iterdir()] == ["sign-ins.json"]
