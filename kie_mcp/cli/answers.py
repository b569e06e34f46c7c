"""How the answers of the tools look to a person, and which exit code each means."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue import usd
from kie_mcp.cli import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DONE, FAILED, USAGE, NOT_FINISHED = 0, 1, 2, 3
"""Exit codes: all well; something failed; wrong use, settings or input; a task goes on without this call."""

_USAGE_CATEGORIES = frozenset({"config", "input"})


def exit_code(answer: Mapping[str, Any], *, waited: bool = True) -> int:
    """The exit code of an answer; ``waited`` is false where nobody asked for the end of the task."""
    if answer.get("results"):
        code = _of_many([exit_code(entry, waited=waited) for entry in answer["results"]])
        if code != DONE or answer["ok"]:
            return code
    if not answer["ok"]:
        return USAGE if answer["error"]["category"] in _USAGE_CATEGORIES else FAILED
    return NOT_FINISHED if waited and goes_on(answer) else DONE


def _of_many(codes: list[int]) -> int:
    if FAILED in codes or USAGE in codes:
        return USAGE if set(codes) == {USAGE} else FAILED
    return NOT_FINISHED if NOT_FINISHED in codes else DONE


def goes_on(answer: Mapping[str, Any]) -> bool:
    """Whether Kie is still at work on the task of an answer."""
    return "next_step" in answer and answer.get("status") != "success"


def show_generation(answer: Mapping[str, Any], later: str) -> None:
    """The paths on stdout, everything else on stderr. ``later`` tells how to fetch a task that goes on."""
    terminal.print_warnings(answer["warnings"])
    _show_results(answer)
    _show_cost(answer)
    if goes_on(answer):
        terminal.note(_going_on(answer))
        terminal.hint(later)


def _show_results(answer: Mapping[str, Any]) -> None:
    """The paths of the pictures; of a model that gives data alone, the data as JSON."""
    for path in answer["output_paths"]:
        terminal.print_path(path)
    if "result" in answer and not answer["output_paths"]:
        terminal.print_json(answer["result"])


def _show_cost(answer: Mapping[str, Any]) -> None:
    """What Kie says it cost, and what it should have cost where Kie does not say."""
    for name, words in _COSTS.items():
        spent = answer.get(name)
        if spent:
            terminal.note(words.format(terminal.number(spent), usd(spent)))


_COSTS: Mapping[str, str] = {
    "credits_consumed": "{} credits (${:g}).",
    "credits_estimated": "about {} credits (${:g}) by the price list.",
}


def _going_on(answer: Mapping[str, Any]) -> str:
    return f"task {answer['task_id']} is {answer['status']}."


def show_many(answer: Mapping[str, Any], later: str) -> None:
    """The paths of all results on stdout; on stderr which failed and what to do, each advice once."""
    advice: dict[str, None] = {}
    for entry in answer["results"]:
        name = f"item {entry['index']}" if "index" in entry else f"task {entry['task_id']}"
        if not entry["ok"]:
            terminal.note(f"{name}: {entry['error']['message']}")
            advice[entry["error"]["next_step"]] = None
            continue
        terminal.print_warnings([f"{name}: {warning}" for warning in entry["warnings"]])
        _show_results(entry)
        if goes_on(entry):
            terminal.note(_going_on(entry) if "index" not in entry else f"{name}: {_going_on(entry)}")
            advice[later] = None
    _show_cost(answer)
    if answer["failed"]:
        terminal.note(f"{answer['failed']} of {answer['total']} failed.")
    for text in advice:
        terminal.hint(text)


def show_dry_run(answer: Mapping[str, Any]) -> None:
    """What a batch would send, as a table; on stderr what is wrong, and what it all should cost."""
    sound = [entry for entry in answer["results"] if entry["ok"]]
    if sound:
        rows = [
            (entry["index"], entry["model"], entry["credits_estimated"], json.dumps(entry["body"]["input"]))
            for entry in sound
        ]
        terminal.print_table(("item", "model", "credits", "input"), rows)
    for entry in answer["results"]:
        if entry["ok"]:
            terminal.print_warnings([f"item {entry['index']}: {warning}" for warning in entry["warnings"]])
        else:
            terminal.note(f"item {entry['index']}: {entry['error']['message']}")
    terminal.print_warnings(answer["warnings"])
    terminal.note(f"{answer['succeeded']} of {answer['total']} could be sent{_price(answer)}; nothing was.")
    if "error" in answer and answer["succeeded"]:
        terminal.print_error(answer["error"])


def _price(answer: Mapping[str, Any]) -> str:
    """What a batch should cost, as far as that is known."""
    if answer["credits_estimated"] is None:
        return ""
    unpriced = any(entry["ok"] and entry["credits_estimated"] is None for entry in answer["results"])
    number = terminal.number(answer["credits_estimated"])
    return f", for {'at least' if unpriced else 'about'} {number} credits (${answer['usd_estimated']:g})"


def show_tasks(answer: Mapping[str, Any]) -> None:
    """The ledger as a table, times in the local zone."""
    rows = [
        (_local(entry["created_at"]), entry["task_id"], entry["status"], entry["model"], _what(entry))
        for entry in answer["tasks"]
    ]
    if rows:
        terminal.print_table(("made", "task id", "status", "model", "files, error or prompt"), rows)
    elif answer.get("results"):
        terminal.note("these are the results of a batch: add --json to see them.")
    else:
        terminal.note("no tasks.")
    if "next_cursor" in answer:
        terminal.note(f"there are older ones: add --cursor {answer['next_cursor']}")


def _local(time: str) -> str:
    return dt.datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M")


def _what(entry: Mapping[str, Any]) -> str:
    error = entry.get("error", {}).get("message", "")
    return " ".join(entry["output_paths"]) or str(error or entry["prompt"] or "")


def show_refreshed(found: Mapping[str, Any]) -> None:
    """What a refresh has found, on stderr: numbers, then the ids and reasons that matter."""
    terminal.note(
        f"{found['asked']} models asked for at Kie: {len(found['updated'])} updated, {len(found['new'])} new, "
        f"{found['unchanged']} unchanged, {len(found['skipped'])} left as they were."
    )
    for name, words in _REFRESHED.items():
        if found[name]:
            terminal.hint(f"{words}: {', '.join(_first(found[name]))}")
    for name, words in _UNUSABLE.items():
        for text in _first([f"{words}: {model_id}: {reason}" for model_id, reason in found[name].items()]):
            terminal.hint(text)


def _first(texts: Sequence[str]) -> list[str]:
    """As many as a person reads, and how many there are beside them."""
    further = len(texts) - _MOST_SHOWN
    return [*texts[:_MOST_SHOWN], *([f"and {further} more"] if further > 0 else [])]


_MOST_SHOWN = 10
_REFRESHED: Mapping[str, str] = {"updated": "updated", "new": "new", "gone": "no longer listed by Kie"}
_UNUSABLE: Mapping[str, str] = {"skipped": "left as it was", "not_taken": "not taken"}


def show_models(answer: Mapping[str, Any]) -> None:
    """A table of models, or one model whole where it was named exactly."""
    found = answer["models"]
    if len(found) == 1 and "input_schema" in found[0]:
        _show_model(found[0])
    elif found:
        rows = [
            (
                model["id"],
                model["kind"],
                model["credits"],
                f"{model['usd']:g}" if "usd" in model else None,
                model.get("max_images", 0),
                " ".join(model.get("aspect_ratios", [])),
            )
            for model in found
        ]
        terminal.print_table(_COLUMNS, rows, least=_RATIOS_WIDTH)
    else:
        near = ", ".join(answer.get("did_you_mean", []))
        terminal.note("no such model" + (f"; did you mean {near}?" if near else "; `kie-mcp models` lists them all."))


_COLUMNS = ("id", "kind", "credits", "US$", "in", "ratios")
"""Of the table of models: "in" is how many input pictures a model takes. As short as they can be: ids are long."""

_RATIOS_WIDTH = 8
"""With this little room for the ratios the whole list fits a terminal of 100 columns."""


def _show_model(model: Mapping[str, Any]) -> None:
    print(terminal.clean(f"{model['id']}: {model['title']}"))
    print(terminal.clean(f"kind: {model['kind']}"))
    print(terminal.clean(f"price in credits: {model['price'] or 'not known'}"))
    print("\ninputs:")
    for line in _inputs(model["input_schema"], model.get("other", [])):
        print(f"  {line}")
    if model["notes"]:
        print("\nnotes:")
        for text in model["notes"]:
            print(f"  {terminal.clean(text)}")


def _inputs(schema: Mapping[str, Any], other: Sequence[str]) -> Iterator[str]:
    """One line for each input; ``other`` are those that have no option of their own."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    required = schema.get("required", [])
    column = max((len(name) for name in properties), default=0)
    for name, described in properties.items():
        facts = [
            *(["required"] if name in required and "default" not in described else []),
            *_facts(described),
            *([f"set by --model-params {name}=VALUE"] if name in other else []),
        ]
        yield f"{name.ljust(column)}  {terminal.clean('; '.join(facts))}".rstrip()


def _facts(schema: Mapping[str, Any]) -> Iterator[str]:
    """What an input accepts, from its JSON Schema."""
    if "enum" in schema:
        yield "one of " + ", ".join(map(_shown, schema["enum"]))
    elif schema.get("type") == "array":
        items = " ".join(_facts(schema.get("items", {}))) or "values"
        yield f"list of {items}"
    elif "type" in schema:
        kind = "URL" if schema.get("format") == "uri" else str(schema["type"])
        yield kind
    for key, words in _BOUNDS.items():
        if key in schema:
            yield words.format(_shown(schema[key]))
    if "description" in schema:
        yield str(schema["description"])


_BOUNDS: Mapping[str, str] = {
    "minimum": "from {}",
    "maximum": "to {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "default": "default {}",
}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return terminal.number(value) if isinstance(value, float) else str(value)
