"""The JVM that PyFlink plans in: on which Java it runs, and that it does not outlive the process that plans."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from functools import cache

import psutil

from echopulse.stack import find_java
from echopulse.stack.processes import end

_MAIN_CLASS = "org.apache.flink.client.python.PythonGatewayServer"
_END_S = 10.0


def prepare_jvm() -> None:
    """Have PyFlink start its JVM on the Java of the stack and end it with this process; to be called before it starts.

    Raises EchoPulseError where no Java is there that Flink runs on.
    """
    # PyFlink itself looks no further than JAVA_HOME and PATH, and takes whatever version is there.
    os.environ["JAVA_HOME"] = str(find_java().home)
    _keep_to_this_process()


def end_jvm() -> None:
    """End the JVM that PyFlink has started in this process, if any, and wait until it is gone.

    Left alone it sees that this process is no more and ends by itself, seconds after the command has.
    """
    gateway = getattr(sys.modules.get("pyflink.java_gateway"), "_gateway", None)
    if gateway is not None:
        # Each object of Java's that Python still holds says goodbye to it, and py4j would log that nobody answers.
        # Its own `shutdown` ends in the same, after a call that has no timeout.
        gateway._gateway_client.is_connected = False  # noqa: SLF001
    end(_planners, _END_S)


@cache
def _keep_to_this_process() -> None:
    atexit.register(end_jvm)
    logging.getLogger().addFilter(_is_not_py4js)


def _is_not_py4js(record: logging.LogRecord) -> bool:
    """Say whether a record is another's: py4j logs with a traceback, on the root logger, what it raises as well.

    A command that is interrupted while Flink plans has said so in a line of its own.
    """
    return record.module != "java_gateway"


def _planners() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if _is_planner(child)]


def _is_planner(process: psutil.Process) -> bool:
    try:
        return _MAIN_CLASS in process.cmdline()
    except psutil.Error:
        return False  # ended meanwhile
