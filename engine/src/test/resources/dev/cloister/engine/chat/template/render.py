#!/usr/bin/env python3
"""Writes the expected outputs of the template tests, rendered by jinja2 as Hugging Face transformers
sets it up in apply_chat_template. Needs Python 3.9 and jinja2 3.1: python3 render.py

  snippets.py                      -> snippets.json
  families/*.jinja, conversations.json -> families/*.json

families/ holds this project's own writing of the families' published formats, and the demo model's
own template. Published templates are checked the same way: python3 render.py FOLDER
"""
import json
import pathlib
import sys
from datetime import datetime

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

import snippets

HERE = pathlib.Path(__file__).parent
NOW = datetime(2026, 7, 5, 9, 3, 7)


class Generation(Extension):
    """The tag transformers marks the assistant's words with; here it only renders its body."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        call = self.call_method("_body")
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(
            x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
        )

    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    made.globals["strftime_now"] = NOW.strftime
    return made


def outcome(template, variables):
    try:
        return {"output": environment().from_string(template).render(**variables)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def write(path, value):
    text = json.dumps(value, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def families(folder):
    conversations = json.loads((HERE / "conversations.json").read_text(encoding="utf-8"))
    for path in sorted(folder.glob("*.jinja")):
        template = path.read_bytes().decode("utf-8")
        rendered = {
            name: outcome(template, variables) for name, variables in conversations.items()
        }
        write(path.with_suffix(".json"), rendered)


if len(sys.argv) > 1:
    families(pathlib.Path(sys.argv[1]))
else:
    families(HERE / "families")
    cases = [
        {"template": text} | outcome(text, snippets.VARIABLES) for text in snippets.SNIPPETS
    ]
    write(HERE / "snippets.json", {"variables": snippets.VARIABLES, "cases": cases})
