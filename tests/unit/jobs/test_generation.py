"""One generation from request to files; picking up tasks that were made earlier; the price limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from kie_mcp.errors import (
    AuthError,
    CancelledError,
    ConfigError,
    CreditsError,
    InputError,
    KieMcpError,
    NetworkError,
    OutputError,
    RateLimitError,
    ServerError,
    TaskFailedError,
    TaskNotFoundError,
)
from kie_mcp.kie import TaskStatus


@pytest.fixture
def generate(bench):
    """Make one picture of a fox."""

    def run(context=None, **more):
        options = {name: more.pop(name) for name in ("window_until", "before_sending") if name in more}
        return bench.generations.run(bench.prepared(**more), context or bench.context(), **options)

    return run


@pytest.fixture
def collect(bench):
    def run(task_id="task-1", **options):
        return bench.generations.collect(task_id, bench.context(), **options)

    return run


def running(task_id="task-1", state="generating"):
    return TaskStatus(task_id, state)


def test_a_request_becomes_a_file(bench, client, generate, done, png):
    client.scripts["poll"] = [
        running(),
        done("task-1", "https://a/1.png", model="nano-banana-pro", credits_consumed=18, seconds=40),
    ]
    outcome = generate(platform="linkedin")
    assert (outcome.task_id, outcome.status, outcome.model, outcome.platform) == (
        "task-1",
        "success",
        "nano-banana-pro",
        "linkedin",
    )
    assert [Path(file.path).read_bytes() for file in outcome.files] == [png]
    assert outcome.image_urls == ("https://a/1.png",)
    assert outcome.credits_consumed == 18
    assert outcome.elapsed_seconds == pytest.approx(sum(bench.clock.waits))
    assert outcome.failure is None


def test_the_body_has_the_models_own_fields_and_the_callback(client, generate):
    generate(aspect_ratio="16:9", output_format="jpeg", callback_url="https://example.com/done")
    assert client.calls["create"] == [
        {
            "model": "nano-banana-pro",
            "input": {"prompt": "a fox", "aspect_ratio": "16:9", "output_format": "jpg"},
            "callBackUrl": "https://example.com/done",
        }
    ]


def test_local_pictures_are_uploaded_before_the_task_is_made(client, generate, tmp_path, png, link_to):
    path = tmp_path / "in.png"
    path.write_bytes(png)
    generate(image_input=("https://a/1.png", str(path)))
    (body,) = client.calls["create"]
    assert body["input"]["image_input"] == ["https://a/1.png", link_to(png)]


def test_pictures_in_other_inputs_are_uploaded_too(client, generate, tmp_path, png, link_to):
    path = tmp_path / "mask.png"
    path.write_bytes(png)
    generate(
        model="ideogram/v3-edit",
        image_input=("https://a/1.png",),
        model_params={"mask_url": str(path)},
    )
    (body,) = client.calls["create"]
    assert body["input"]["image_url"] == "https://a/1.png"
    assert body["input"]["mask_url"] == link_to(png)


def test_a_dry_look_needs_no_key_and_asks_nobody(make_bench, client):
    bench = make_bench(api_key=None)
    request = bench.request(image_input=("task:somewhere-else",))
    prepared = bench.generations.prepare(request, bench.context(), offline=True)
    assert len(prepared.sources) == 1
    assert client.calls["poll"] == []
    with pytest.raises(ConfigError, match="KIE_AI_API_KEY"):
        bench.generations.prepare(request, bench.context())


def test_an_upload_that_fails_costs_nothing(bench, client, generate, tmp_path, png):
    path = tmp_path / "in.png"
    path.write_bytes(png)
    client.scripts["upload"] = [NetworkError("broken")]
    with pytest.raises(NetworkError):
        generate(image_input=(str(path),))
    assert client.calls["create"] == []
    assert bench.rows() == []


def test_without_waiting_the_task_is_handed_back_at_once(client, generate):
    outcome = generate(wait_for_result=False, model="brand-new/model")
    assert (outcome.task_id, outcome.status, outcome.files) == ("task-1", "submitted", ())
    assert "not in the list of models" in outcome.warnings[0]
    assert client.calls["poll"] == []


def test_a_wait_that_times_out_hands_the_task_back(bench, client, generate):
    client.scripts["poll"] = [running() for _ in range(100)]
    outcome = generate(poll_timeout_seconds=20)
    assert (outcome.task_id, outcome.status, outcome.failure) == ("task-1", "generating", None)
    assert bench.ledger.find("task-1").state == "generating"


def test_a_call_that_must_let_go_earlier_hands_the_task_back_earlier(bench, clock, client, generate):
    client.scripts["poll"] = [running() for _ in range(100)]
    context = bench.context()
    context.deadline = 7.0
    assert generate(context).status == "generating"
    assert clock.time == pytest.approx(7.0)


def test_a_failed_task_is_an_error_with_its_id_and_reason(bench, client, generate):
    client.scripts["poll"] = [TaskStatus("task-1", "fail", fail_code="422", fail_message="prohibited")]
    with pytest.raises(TaskFailedError, match="prohibited") as caught:
        generate()
    assert (caught.value.task_id, caught.value.code) == ("task-1", "422")


@pytest.mark.parametrize("trouble", [OutputError("disk"), NetworkError("broken")])
def test_after_a_download_that_failed_the_error_names_the_task(downloads, generate, trouble):
    downloads.answers["https://result.example/task-1.png"] = trouble
    with pytest.raises(type(trouble)) as caught:
        generate()
    assert caught.value.task_id == "task-1"


def test_a_ledger_that_fails_during_the_wait_does_not_hide_the_task(bench, generate, monkeypatch):
    def full(*_, **__):
        raise ConfigError("The disk is full.")

    monkeypatch.setattr(bench.ledger, "observed", full)
    with pytest.raises(ConfigError) as caught:
        generate()
    assert caught.value.task_id == "task-1"


def test_a_cancel_during_the_wait_names_the_task_that_goes_on(bench, client, generate):
    context = bench.context()
    client.on_create = lambda body: context.cancel()
    with pytest.raises(CancelledError) as caught:
        generate(context)
    assert caught.value.task_id == "task-1"
    assert bench.ledger.find("task-1").state == "submitted"


def test_success_without_a_picture_is_an_error_that_names_the_task(client, generate):
    client.scripts["poll"] = [TaskStatus("task-1", "success")]
    with pytest.raises(OutputError, match="names no picture") as caught:
        generate()
    assert (caught.value.task_id, caught.value.retryable) == ("task-1", False)
    assert "get_visual_task" in caught.value.next_step


def test_a_structured_result_is_passed_on(client, generate):
    client.scripts["poll"] = [TaskStatus("task-1", "success", result={"layers_data": []})]
    outcome = generate()
    assert (outcome.result, outcome.warnings) == ({"layers_data": []}, ())


def test_without_a_key_nothing_is_prepared(make_bench):
    bench = make_bench(api_key=None)
    with pytest.raises(ConfigError, match="KIE_AI_API_KEY is not set"):
        bench.prepared()


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_paid(bench, client, tmp_path):
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(OutputError):
        bench.prepared(output_path=str(tmp_path / "file" / "fox.png"))
    assert client.calls["create"] == []


# picking up


def test_collecting_again_returns_the_same_files_without_asking_anybody(bench, client, downloads, collect, generate):
    made = generate()
    asked, fetched = len(client.calls["poll"]), len(downloads.fetched)
    for _ in range(2):
        again = collect()
        assert (again.files, again.status, again.model) == (made.files, "success", "nano-banana-pro")
        assert again.image_urls == made.image_urls
    assert (len(client.calls["poll"]), len(downloads.fetched)) == (asked, fetched)


def test_saved_files_are_found_without_a_key(make_bench, generate):
    generate()
    assert len(make_bench(api_key=None).generations.collect("task-1", make_bench().context()).files) == 1


def test_a_task_that_runs_on_is_saved_where_it_was_asked_for(bench, client, collect, generate, tmp_path):
    wanted = tmp_path / "else" / "fox.png"
    generate(wait_for_result=False, output_path=str(wanted), prompt="a red fox")
    outcome = collect()
    assert [file.path for file in outcome.files] == [str(wanted)]


def test_a_task_is_saved_under_the_name_of_its_prompt(collect, generate):
    generate(wait_for_result=False, prompt="a red fox")
    assert "a-red-fox" in collect().files[0].path


def test_another_place_may_be_named_when_a_task_is_collected(collect, generate, tmp_path):
    generate(wait_for_result=False)
    assert collect(output_path=str(tmp_path / "there.png")).files[0].path == str(tmp_path / "there.png")


def test_a_look_says_where_a_task_is_without_waiting(clock, client, collect, generate):
    generate(wait_for_result=False)
    client.scripts["poll"] = [running(state="queuing")]
    before = clock.time
    outcome = collect()
    assert (outcome.status, outcome.files) == ("queuing", ())
    assert clock.time == before


def test_a_look_without_download_only_looks(downloads, collect, generate):
    generate(wait_for_result=False)
    outcome = collect(download=False)
    assert (outcome.status, outcome.files) == ("success", ())
    assert outcome.image_urls == ("https://result.example/task-1.png",)
    assert downloads.fetched == []


def test_a_look_without_download_names_the_files_that_are_there(downloads, client, collect, generate):
    made = generate()
    asked, fetched = len(client.calls["poll"]), len(downloads.fetched)
    assert collect(download=False).files == made.files
    assert (len(client.calls["poll"]), len(downloads.fetched)) == (asked, fetched)


def test_a_wait_ends_with_the_files(client, collect, generate):
    generate(wait_for_result=False)
    client.scripts["poll"] = [running(), running(), running()]
    assert len(collect(wait_seconds=60).files) == 1


def test_a_wait_ends_when_its_time_is_up(clock, client, collect, generate):
    generate(wait_for_result=False)
    client.scripts["poll"] = [running() for _ in range(50)]
    assert collect(wait_seconds=30).status == "generating"
    assert clock.time == pytest.approx(30)


def test_no_wait_is_longer_than_the_call_may_take(bench, clock, client):
    context = bench.context()
    context.deadline = 5
    client.scripts["poll"] = [running("t") for _ in range(50)]
    bench.generations.collect("t", context, wait_seconds=300)
    assert clock.time == pytest.approx(5)


def test_a_failed_task_is_told_again_without_asking(client, collect, generate):
    client.scripts["poll"] = [TaskStatus("task-1", "fail", fail_code="422", fail_message="prohibited")]
    with pytest.raises(TaskFailedError):
        generate()
    outcome = collect()
    assert (outcome.status, outcome.failure["category"], outcome.files) == ("fail", "task_failed", ())
    assert len(client.calls["poll"]) == 1


def test_a_task_that_is_seen_to_have_failed_is_told_as_such(client, collect):
    client.scripts["poll"] = [TaskStatus("t", "fail", fail_message="prohibited")]
    outcome = collect("t")
    assert outcome.status == "fail"
    assert outcome.failure["task_id"] == "t"


def test_a_task_that_the_ledger_has_never_seen_is_adopted_and_saved(bench, collect):
    outcome = collect("a-task-from-elsewhere")
    assert outcome.status == "success"
    assert "task-a-task-from" in outcome.files[0].path
    assert bench.ledger.find("a-task-from-elsewhere").files == outcome.files


def test_a_task_that_nobody_knows_is_an_error(client, collect):
    client.scripts["poll"] = [TaskNotFoundError("Kie knows no task 't'.", task_id="t")]
    with pytest.raises(TaskNotFoundError):
        collect("t")


def test_a_task_that_was_made_a_moment_ago_may_not_be_visible_yet(client, collect, generate):
    generate(wait_for_result=False)
    client.scripts["poll"] = [TaskNotFoundError("Kie knows no task.") for _ in range(3)]
    assert collect().status == "submitted"
    assert collect(wait_seconds=30).status == "success"


def test_collecting_without_a_key_says_how_to_set_it(make_bench):
    bench = make_bench(api_key=None)
    with pytest.raises(ConfigError, match="KIE_AI_API_KEY"):
        bench.generations.collect("t", bench.context())


def test_files_that_have_vanished_are_fetched_again(downloads, collect, generate):
    Path(generate().files[0].path).unlink()
    assert Path(collect().files[0].path).is_file()
    assert len(downloads.fetched) == 2


def test_the_refusal_of_an_unknown_model_names_the_known_ones_that_are_near(client, generate):
    client.scripts["create"] = [InputError("The model name you specified is not supported.", code=422)]
    with pytest.raises(InputError, match=r"not supported\..*nano-banana-pro") as caught:
        generate(model="nano-bananna-pro")
    assert caught.value.code == 422


AFTER_PAYMENT = [
    NetworkError("The connection broke."),
    RateLimitError("429"),
    ServerError("HTTP 500"),
    CreditsError("402"),
    AuthError("401"),
    KieMcpError("Internal error."),
]


@pytest.mark.parametrize("error", AFTER_PAYMENT, ids=lambda error: error.category)
def test_once_a_task_is_paid_for_no_error_says_to_ask_for_it_again(client, downloads, generate, error):
    downloads.answers["https://result.example/task-1.png"] = lambda: type(error)(error.message)
    with pytest.raises(type(error)) as caught:
        generate()
    assert (caught.value.task_id, caught.value.retryable) == ("task-1", False)
    assert "do not ask for the picture again" in caught.value.next_step
    assert "get_visual_task" in caught.value.next_step


def test_a_refused_key_is_put_right_before_the_picture_is_fetched(client, generate):
    client.scripts["poll"] = [AuthError("401")]
    with pytest.raises(AuthError) as caught:
        generate()
    assert caught.value.next_step.startswith("Check KIE_AI_API_KEY")
    assert "get_visual_task" in caught.value.next_step


def test_a_fetch_that_fails_may_be_repeated(client, collect, generate):
    generate(wait_for_result=False)
    client.scripts["poll"] = [ServerError("HTTP 500")]
    with pytest.raises(ServerError) as caught:
        collect()
    assert (caught.value.task_id, caught.value.retryable) == ("task-1", True)
    assert "do not ask for the picture again" in caught.value.next_step


def test_a_wait_rides_through_polls_that_fail(client, collect, generate):
    generate(wait_for_result=False)
    client.scripts["poll"] = [ServerError("HTTP 500") for _ in range(200)]
    assert collect(wait_seconds=20).status == "submitted"


def test_a_wait_for_a_task_that_has_ended_does_not_wait(clock, client, collect, generate):
    generate(wait_for_result=False)
    before = clock.time
    assert collect(wait_seconds=20).files
    assert clock.time == before


def test_a_download_that_outlasts_the_call_hands_the_task_back(bench, downloads, generate):
    context = bench.context()
    context.deadline = 50.0

    def slow():
        bench.clock.time = 50.0
        return NetworkError("did not answer")

    downloads.answers["https://result.example/task-1.png"] = slow
    outcome = generate(context)
    assert (outcome.status, outcome.files) == ("success", ())
    assert outcome.warnings == ("The picture is not saved yet: did not answer",)


def test_another_place_for_files_that_are_there_is_told_to_be_unused(collect, generate, tmp_path):
    made = generate()
    outcome = collect(output_path=str(tmp_path / "there.png"))
    assert outcome.files == made.files
    assert outcome.warnings == ("The pictures were saved before, so output_path was not used.",)


def test_the_refusal_of_a_known_model_is_passed_on_as_it_is(client, generate):
    client.scripts["create"] = [InputError("aspect_ratio is required", code=500)]
    with pytest.raises(InputError) as caught:
        generate()
    assert caught.value.message == "aspect_ratio is required"


# structured results

BOXES = {"boxes": [{"label": "fox", "box": [1, 2, 3, 4]}]}


def test_a_result_without_pictures_is_told_again_without_asking(bench, client, downloads, collect, generate):
    client.scripts["poll"] = [TaskStatus("task-1", "success", result=BOXES, credits_consumed=2.0)]
    made = generate()
    again = collect(output_path="elsewhere")
    assert (made.result, again.result) == (BOXES, BOXES)
    assert (again.status, again.files, again.credits_consumed, again.warnings) == ("success", (), 2.0, ())
    assert len(client.calls["poll"]) == 1
    assert downloads.fetched == []
    assert bench.custody.unsaved().tasks == ()


def test_a_result_beside_pictures_is_remembered_with_them(client, collect, generate, done):
    client.scripts["poll"] = [done("task-1", result=BOXES)]
    made = generate()
    again = collect()
    assert again.result == made.result == BOXES
    assert again.files == made.files
    assert len(client.calls["poll"]) == 1


# credits


def test_a_task_that_says_what_it_cost_needs_no_estimate(client, collect, generate, done):
    client.scripts["poll"] = [done("task-1", credits_consumed=0.0)]
    made = generate()
    assert (made.credits_consumed, made.credits_estimated) == (0.0, None)
    assert (collect().credits_consumed, collect().credits_estimated) == (0.0, None)


def test_a_task_that_does_not_say_what_it_cost_has_the_catalogues_price(generate, collect):
    assert (generate().credits_consumed, collect().credits_consumed) == (None, None)
    assert (generate().credits_estimated, collect().credits_estimated) == (18, 18)


def test_a_task_that_goes_on_has_the_catalogues_price(client, generate, collect):
    assert generate(wait_for_result=False).credits_estimated == 18
    client.scripts["poll"] = [TaskStatus("task-1", "generating", credits_consumed=6.0)]
    outcome = collect()
    assert (outcome.credits_consumed, outcome.credits_estimated) == (None, 18)


def test_a_failed_task_has_no_price(client, collect, generate):
    generate(wait_for_result=False)
    client.scripts["poll"] = [TaskStatus("task-1", "fail", fail_message="prohibited")]
    assert (collect().credits_estimated, collect().credits_estimated) == (None, None)


def test_a_task_from_elsewhere_and_one_of_an_unknown_model_have_no_price(collect, generate):
    assert collect("from-elsewhere").credits_estimated is None
    assert generate(model="brand-new/model").credits_estimated is None
