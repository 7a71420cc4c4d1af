#!/usr/bin/env python3
"""Completes values.schema.json of the charts in build/charts from build/charts/common/definitions.json.

    scripts/schemas.py [--check] [chart…]        (all charts by default; needs PyYAML, which .tools/venv has)

A chart's author writes the properties that are the chart's own. This adds the shared ones that its values.yaml has, `required`, and a
copy of every shared definition that is referred to; Helm resolves no reference to another file. Definitions of the chart's own stand
in `$defs`. With --check nothing is written, and what is not up to date is named.
"""

import json
import pathlib
import sys

import yaml

CHARTS = pathlib.Path(__file__).resolve().parent.parent / "build/charts"
SHARED = json.loads((CHARTS / "common/definitions.json").read_text())
# Helm passes these to every chart that has a library, whether its values name them or not.
ALWAYS = ("common", "global")


def fill(schema, values):
    """Adds to `schema` the shared properties that `values` has; a component's values are an object with properties of its own."""
    properties = schema.setdefault("properties", {})
    for name, value in values.items():
        if name not in properties and name in SHARED["properties"]:
            properties[name] = SHARED["properties"][name]
        elif isinstance(value, dict) and "properties" in properties.get(name, {}) and "image" in value:
            fill(properties[name], value)
    needed = [name for name in SHARED["required"] if name in values]
    schema["required"] = needed + [name for name in schema.get("required", []) if name not in needed and name in properties]
    schema["properties"] = dict(sorted(properties.items()))


def references(node):
    """The names of the shared definitions that `node` refers to."""
    if isinstance(node, dict):
        name = str(node.get("$ref", "")).removeprefix("#/definitions/")
        if "$ref" in node and name != node["$ref"]:
            yield name
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def definitions(schema, file):
    """The definitions that `schema` uses, and those that these use."""
    found, open_names = {}, list(references(schema))
    while open_names:
        name = open_names.pop()
        if name in found:
            continue
        if name not in SHARED["definitions"]:
            sys.exit(f"{file}: #/definitions/{name} is not in common/definitions.json; a definition of the chart's own goes to $defs")
        found[name] = SHARED["definitions"][name]
        open_names += references(found[name])
    return dict(sorted(found.items()))


def complete(chart):
    """The text that the chart's schema should have."""
    file = chart / "values.schema.json"
    own = json.loads(file.read_text()) if file.exists() else {}
    own.pop("definitions", None)
    values = yaml.safe_load((chart / "values.yaml").read_text()) or {}
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Values of the {chart.name} chart",
        "type": "object",
        "additionalProperties": False,
        "required": [],
        "properties": {},
    } | own
    fill(schema, values | dict.fromkeys(ALWAYS))
    unknown = [name for name in values if name not in schema["properties"]]
    if unknown:
        sys.exit(f"{file}: no property for {', '.join(unknown)}, which values.yaml has and common/definitions.json does not know")
    if "$defs" in schema:
        schema["$defs"] = schema.pop("$defs")
    schema["definitions"] = definitions(schema, file)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    check = len(arguments) < len(sys.argv) - 1
    charts = [CHARTS / name for name in arguments] or sorted(file.parent for file in CHARTS.glob("*/values.yaml"))
    stale = []
    for chart in charts:
        file, text = chart / "values.schema.json", complete(chart)
        if not file.exists() or file.read_text() != text:
            stale.append(chart.name)
            if not check:
                file.write_text(text)
    if stale:
        print(("not up to date, run scripts/schemas.py: " if check else "written: ") + ", ".join(stale))
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
