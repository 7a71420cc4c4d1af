"""Writes each task's result to the file that CONFORMANCE_RECORD names: one JSON object a line."""

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
    name: record
    type: stdout
    short_description: results as JSON lines
    description: Results as JSON lines.
    extends_documentation_fragment:
      - default_callback
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "record"

    def __init__(self):
        super().__init__()
        self.play = ""
        self.file = open(os.environ["CONFORMANCE_RECORD"], "w", encoding="utf-8")

    def v2_playbook_on_play_start(self, play):
        self.play = play.get_name()

    def _write(self, status, result):
        values = {key: value for key, value in result.result.items() if not key.startswith("_ansible")}
        line = {"play": self.play, "task": result.task_name, "status": status, "result": values}
        self.file.write(json.dumps(line, default=str) + "\n")
        self.file.flush()

    def v2_runner_on_ok(self, result):
        self._write("changed" if result.is_changed() else "ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._write("failed", result)

    def v2_runner_on_skipped(self, result):
        self._write("skipped", result)

    def v2_runner_on_unreachable(self, result):
        self._write("unreachable", result)
