"""`jupyter console`, whose Ctrl-C reaches the kernel.

Debian's console (6.4.4 with nest_asyncio) loses the handler by which it relays Ctrl-C as soon as its first prompt is over, with
every kernel. Here it is put back before each cell; everything else is the console's own.
"""

import signal

from jupyter_console.app import ZMQTerminalIPythonApp
from jupyter_console.ptshell import ZMQTerminalInteractiveShell

run_cell = ZMQTerminalInteractiveShell.run_cell


def run_cell_and_relay(self, *args, **kwargs):
    signal.signal(signal.SIGINT, self.parent.handle_sigint)
    return run_cell(self, *args, **kwargs)


ZMQTerminalInteractiveShell.run_cell = run_cell_and_relay
ZMQTerminalIPythonApp.launch_instance()
