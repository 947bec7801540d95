"""Facts about this computer: network, disk, memory, graphics card, free ports. Standard library only."""

import os
import platform
import shutil
import socket
import subprocess
import threading
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

GB = 10**9


def reachable(url, timeout_s=2.0):
    """True where the host of `url`, or the proxy in front of it, accepts a connection in time.

    Units:   timeout_s covers the name look-up too, which has no time limit of its own
    """
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        parts = urlsplit(proxy if "//" in proxy else f"http://{proxy}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    answer = []

    def connect():
        try:
            socket.create_connection((parts.hostname, port), timeout_s).close()
            answer.append(True)
        except OSError:
            pass

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(timeout_s)
    return bool(answer)


def serves(url, timeout_s=2.0):
    """True where `url` answers with status 200 in time."""
    if not reachable(url, timeout_s):
        return False
    try:
        request = urllib.request.Request(url, method="HEAD")
        with urllib.request.urlopen(request, timeout=timeout_s) as reply:
            return reply.status == 200
    except (OSError, ValueError):
        return False


def free_disk_bytes(folder):
    """Free bytes on the disk that holds `folder`, which need not exist yet."""
    folder = Path(folder).resolve()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def folder_bytes(folder):
    """Bytes of all files below a folder; links are not followed."""
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink())


def memory_bytes():
    """(total, available) bytes of RAM; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        values = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if ":" in line}
        total, available = values["MemTotal"], values.get("MemAvailable")
        limit = Path("/sys/fs/cgroup/memory.max")  # a container may hold less than the machine
        if limit.exists() and limit.read_text().strip().isdigit():
            total = min(total, int(limit.read_text()))
        return total, min(total, available) if available else None
    except (OSError, KeyError, ValueError, IndexError):
        pass
    try:
        import psutil

        memory = psutil.virtual_memory()
        return memory.total, memory.available
    except ImportError:
        return None, None


def gpu():
    """The first NVIDIA card as {"name", "capability", "vram_bytes", "bf16"}, or None.

    "bf16" is real only from compute capability 8.0 on: a T4 (7.5) accepts it and computes slowly in float32.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return None
    program = shutil.which("nvidia-smi")
    if not program:
        return None
    query = [program, "--query-gpu=name,compute_cap,memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_gpu(answer.stdout) if answer.returncode == 0 else None


def parse_gpu(text):
    """Read the first line of nvidia-smi's answer, such as "Tesla T4, 7.5, 15360" (MiB)."""
    parts = [part.strip() for part in text.strip().splitlines()[0].split(",")] if text.strip() else []
    try:
        name, capability, vram_mib = ", ".join(parts[:-2]), float(parts[-2]), int(parts[-1])
    except (ValueError, IndexError):
        return None
    return {"name": name, "capability": capability, "vram_bytes": vram_mib * 2**20, "bf16": capability >= 8.0}


def describe():
    """The system in a few words, for a report."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"


def free_port(wanted, host="127.0.0.1", tries=50):
    """The first port from `wanted` on that nobody listens on, or None."""
    for port in range(wanted, min(wanted + tries, 65536)):
        with socket.socket() as probe:
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                return port
            except (OSError, OverflowError):
                continue
    return None
