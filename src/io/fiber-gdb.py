# SPDX-License-Identifier: Apache-2.0
"""io/fiber-gdb.py - shows fibers in gdb: those that wait, too.

    (gdb) source src/io/fiber-gdb.py
    (gdb) fibers            one line each: number, address, name, state
    (gdb) fiber 3           backtrace of number 3; `fiber ADDRESS` takes what `fibers` printed
    (gdb) fiber all         of every one

A waiting fiber's registers lie on its stack, as fiber_switch.S left them. Its backtrace is taken with the stack and
frame pointers set to that place, and they are put back afterwards: nothing runs, so a core file serves as well as a
live process where gdb allows registers to be written. Not for builds with ucontext.
"""

import gdb

# Saved words from the stack pointer on, up to the address it goes on at; and what the stack pointer is then.
LAYOUTS = {
    "i386:x86-64": (["r15", "r14", "r13", "r12", "rbx", "rbp", "rip"], "rsp", 56),
    "aarch64": (["x%d" % n for n in range(19, 30)] + ["pc"], "sp", 160),
}


def all_fibers():
    """Every live fiber, oldest first, as a gdb.Value of struct fiber."""
    fiber = gdb.lookup_type("struct fiber")
    offset = next(f.bitpos // 8 for f in fiber.fields() if f.name == "live")
    head = gdb.parse_and_eval("&fibers.live")
    link = head["next"]
    while link != head:
        address = int(link) - offset
        yield gdb.Value(address).cast(fiber.pointer()).dereference()
        link = link["next"]


def state_of(fiber):
    if int(gdb.parse_and_eval("fibers.running")) == int(fiber.address):
        return "running"
    if int(fiber["link"]["next"]) != 0 and fiber["link"]["next"] != fiber["link"].address:
        return "ready"
    return "cancelled" if fiber["cancelled"] else "waiting"


def title(number, fiber):
    return "%d  %#x  %s  %s" % (number, int(fiber.address), fiber["name"].string(), state_of(fiber))


def backtrace(fiber):
    if state_of(fiber) == "running":
        gdb.execute("backtrace")
        return
    frame = gdb.selected_frame()
    names, stack_name, size = LAYOUTS[frame.architecture().name()]
    gdb.newest_frame().select()
    word = gdb.lookup_type("unsigned long")
    saved = int(fiber["context"]["sp"])
    before = {name: int(gdb.parse_and_eval("(unsigned long)$" + name)) for name in names + [stack_name]}
    try:
        for at, name in enumerate(names):
            value = int(gdb.Value(saved + 8 * at).cast(word.pointer()).dereference())
            gdb.execute("set $%s = %d" % (name, value))
        gdb.execute("set $%s = %d" % (stack_name, saved + size))
        gdb.execute("backtrace")
    finally:
        for name, value in before.items():
            gdb.execute("set $%s = %d" % (name, value))


class Fibers(gdb.Command):
    """Lists the live fibers."""

    def __init__(self):
        super().__init__("fibers", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for number, fiber in enumerate(all_fibers()):
            print(title(number, fiber))


class Fiber(gdb.Command):
    """fiber NUMBER | ADDRESS | all: backtrace of a fiber, wherever it waits."""

    def __init__(self):
        super().__init__("fiber", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        wanted = argument.strip()
        found = False
        for number, fiber in enumerate(all_fibers()):
            if wanted == "all" or (wanted and int(wanted, 0) in (number, int(fiber.address))):
                print(title(number, fiber))
                backtrace(fiber)
                found = True
        if not found:
            raise gdb.GdbError("no such fiber; `fibers` lists them")


Fibers()
Fiber()
