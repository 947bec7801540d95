"""What the operating system takes from the locked process: memory, files, network, other programs.

Every function runs inside that process and changes it for good. Nothing is assumed: `enter` returns what worked.
"""

import os
import struct
import sys

# The calls of the Linux kernel that pure calculation needs, with their numbers on two kinds of processors.
CALLS = {
    "x86_64": (0xC000003E, {
        "write": 1, "mmap": 9, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15,
        "mremap": 25, "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60, "gettimeofday": 96,
        "sigaltstack": 131, "futex": 202, "restart_syscall": 219, "clock_gettime": 228, "clock_nanosleep": 230,
        "exit_group": 231, "getrandom": 318,
    }),
    "aarch64": (0xC00000B7, {
        "write": 64, "exit": 93, "exit_group": 94, "futex": 98, "nanosleep": 101, "clock_gettime": 113,
        "clock_nanosleep": 115, "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134,
        "rt_sigprocmask": 135, "rt_sigreturn": 139, "gettimeofday": 169, "getpid": 172, "brk": 214, "munmap": 215,
        "mremap": 216, "mmap": 222, "madvise": 233, "getrandom": 278,
    }),
}  # fmt: skip


def limit(memory_mb, cpu_s):
    """Limits of the kernel on this process (POSIX). Returns (names in force, {name: why not}).

    Covers:         AS memory; CPU seconds, also when nobody waits any more; FSIZE no byte into a file; CORE no memory
                    image; NPROC no new process
    Does not cover: NPROC does not bind root, AS is not enforced on macOS, none of them exists on Windows
    """
    try:
        import resource
    except ImportError as error:
        return [], {"limits": str(error)}
    active, missing = [], {}
    for name, value in {"AS": memory_mb << 20, "CPU": cpu_s, "FSIZE": 0, "CORE": 0, "NPROC": 0}.items():
        try:
            kind = getattr(resource, f"RLIMIT_{name}")
            hard = resource.getrlimit(kind)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (value, value))
            active.append(f"limit {name}")
        except (AttributeError, ValueError, OSError) as error:
            missing[f"limit {name}"] = str(error)
    return active, missing


def seccomp():
    """Linux: from now on the kernel answers every call outside CALLS with "not permitted". Needs no root.

    Covers:  opening, reading and changing files, sockets, new processes and threads, signals, more memory mappings
             of files; threads of this process that exist already are not bound, so there must be none
    Errors:  OSError or KeyError where the kernel or the processor does not know it
    Source:  Linux, Documentation/userspace-api/seccomp_filter.rst
    """
    import ctypes
    import platform

    machine, calls = CALLS[platform.machine()]
    allow, kill, refuse = 0x7FFF0000, 0x80000000, 0x00050001  # refuse: EPERM
    load, jump_if_equal, give = 0x20, 0x15, 0x06
    # (operation, lines to skip if equal, lines to skip if not, value): first the processor, then the call's number
    steps = [(load, 0, 0, 4), (jump_if_equal, 1, 0, machine), (give, 0, 0, kill), (load, 0, 0, 0)]
    for number in calls.values():
        steps += [(jump_if_equal, 0, 1, number), (give, 0, 0, allow)]
    steps.append((give, 0, 0, refuse))
    packed = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]

    program = Program(len(steps), ctypes.addressof(packed))
    library = ctypes.CDLL(None, use_errno=True)
    for call in ((38, 1, 0, 0, 0), (22, 2, ctypes.byref(program), 0, 0)):  # no new privileges, then the filter
        if library.prctl(*call):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def seatbelt():
    """macOS: a profile that denies everything which asks the kernel for a file, a socket or a process.

    Errors:  OSError where the system refuses it
    Does not cover: this function has never run on a Mac; `runner.report` shows on yours whether it works
    """
    import ctypes

    error = ctypes.c_char_p()
    if ctypes.CDLL("/usr/lib/libSystem.dylib").sandbox_init(b"(version 1)(deny default)", 0, ctypes.byref(error)):
        raise OSError((error.value or b"sandbox_init failed").decode(errors="replace"))


SYSTEM = {"linux": seccomp, "darwin": seatbelt}


def enter(memory_mb, cpu_s, system=True):
    """Apply everything this operating system offers. Returns (layers in force, {layer: why not}).

    `system` False leaves out seccomp and seatbelt, for lessons and tests.
    """
    active, missing = limit(memory_mb, cpu_s)
    lock = SYSTEM.get(sys.platform)
    if lock is None:
        return active, missing | {"system": f"nothing is known for {sys.platform}"}
    if not system:
        return active, missing | {lock.__name__: "switched off"}
    try:
        lock()
        active.append(lock.__name__)
    except Exception as error:  # whatever is in the way: the program still runs, and `missing` tells
        missing[lock.__name__] = f"{type(error).__name__}: {error}"
    return active, missing
