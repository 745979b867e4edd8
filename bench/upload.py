"""what uploading costs: memory of every process, cpu of the accepting one, time beside a plain copy.

`./just bench upload [--quick] [--json]`; how it is measured stands in bench/README.md.
"""

import argparse
import base64
import http.client
import json
import os
import secrets
import statistics
import struct
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from bench import machine
from bench.machine import Machine
from bench.memory import Peaks

SIZES_MB = (50, 300, 900)
BUDGET_S = 55.0
_MB = 1_000_000
_HEADER_BYTES = 44


@dataclass(frozen=True)
class Run:
    """one file uploaded and made a track."""

    route: str
    size_mb: int
    growth_mb: dict[str, float]
    cpu_ms_per_mb: float
    sent_s_per_gb: float
    live_s_per_gb: float
    copy_s_per_gb: float


def main() -> None:
    """run the benchmark and print its figures, the JSON object last."""
    parser = argparse.ArgumentParser(prog="./just bench upload", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, within a minute after set-up")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    options = parser.parse_args()
    began = time.monotonic()
    with machine.running() as product:
        file = product.folder / "song.wav"
        _upload(product, _make(file, 5), "tus")  # what is loaded on first use is not what grows with size
        print(f"set up in {time.monotonic() - began:.0f} s", file=sys.stderr)
        runs = _rounds(product, file, 1 if options.quick else 3)
    result = _summary(runs)
    _show(runs, result)
    if options.json:
        print(json.dumps(result))


def _rounds(product: Machine, file: Path, rounds: int) -> list[Run]:
    began, runs = time.monotonic(), list[Run]()
    plan = [("tus", size) for size in SIZES_MB for _ in range(rounds)] + [("form", SIZES_MB[1])] * rounds
    for route, size in plan:
        if rounds == 1 and time.monotonic() - began > BUDGET_S * 0.7 and route == "form":
            print("left out the form route: this machine is slow today", file=sys.stderr)
            break
        run = _upload(product, _make(file, size), route)
        print(
            f"{route:4} {size:4} MB: cpu {run.cpu_ms_per_mb:.2f} ms/MB, sent {run.sent_s_per_gb:.1f} s/GB "
            f"(copy {run.copy_s_per_gb:.1f}), live {run.live_s_per_gb:.1f} s/GB, growth {run.growth_mb}",
            file=sys.stderr,
        )
        runs.append(run)
    return runs


def _upload(product: Machine, file: Path, route: str) -> Run:
    size = file.stat().st_size
    copy_s = _copy(file, product.folder / "copy")
    pids = {"api": product.api.pid, "worker": product.worker.pid, "postgres": product.postgres_pid}
    api = psutil.Process(product.api.pid)
    with Peaks(pids, shared=frozenset({"postgres"})) as peaks:
        before, began = _cpu(api), time.monotonic()
        upload_id = _send_tus(product, file) if route == "tus" else _send_form(product, file)
        sent_s, cpu_s = time.monotonic() - began, _cpu(api) - before
        _until_live(product, upload_id)
        live_s = time.monotonic() - began
    _clear(product.storage)
    gb = size / 1e9
    return Run(
        route, size // _MB, peaks.growth_mb(), round(cpu_s * 1000 / (size / _MB), 3), round(sent_s / gb, 2),
        round(live_s / gb, 2), round(copy_s / gb, 2),
    )  # fmt: skip


def _make(file: Path, size_mb: int) -> Path:
    """write a wav of noise, different each time: the same bytes again would be refused as a duplicate."""
    size = size_mb * _MB
    data = size - _HEADER_BYTES
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", size - 8, b"WAVE", b"fmt ", 16, 1, 2, 44_100, 176_400, 4, 16, b"data", data
    )
    block = os.urandom(_MB)
    with file.open("wb") as output:
        output.write(head + secrets.token_bytes(16))
        left = data - 16
        while left:
            left -= output.write(block[:left])
        os.fsync(output.fileno())
    return file


def _copy(file: Path, target: Path) -> float:
    """copy a file the way `cp` and `sync` do, and return how long it took."""
    began = time.monotonic()
    with file.open("rb") as source, target.open("wb") as output:
        while piece := source.read(_MB):
            output.write(piece)
        output.flush()
        os.fsync(output.fileno())
    took = time.monotonic() - began
    target.unlink()
    return took


def _request(product: Machine, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    connection = http.client.HTTPConnection(product.host, product.port, timeout=300, blocksize=_MB)
    try:
        sent = {"Authorization": product.authorization, "Tus-Resumable": "1.0.0"} | (headers or {})
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]!r}")
        return answer.headers.get("Location") or (json.loads(text) if text else None)
    finally:
        connection.close()


def _send_tus(product: Machine, file: Path) -> str:
    size = file.stat().st_size
    name = base64.b64encode(file.name.encode()).decode()
    created = {"Upload-Length": str(size), "Upload-Metadata": f"filename {name}"}
    upload_id: str = _request(product, "POST", "/uploads/", headers=created)
    form = json.dumps({"title": "bench"})
    _request(product, "POST", f"/uploads/{upload_id}/publish", form, {"Content-Type": "application/json"})
    appended = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream", "Content-Length": str(size)}
    with file.open("rb") as source:
        _request(product, "PATCH", f"/uploads/{upload_id}", source, appended)
    return upload_id


def _send_form(product: Machine, file: Path) -> str:
    boundary = secrets.token_hex(16)
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'.encode()
    end = f"\r\n--{boundary}--\r\n".encode()
    size = len(part) + file.stat().st_size + len(end)

    def body() -> Any:
        yield part
        with file.open("rb") as source:
            while piece := source.read(_MB):
                yield piece
        yield end

    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(size)}
    upload_id: str = _request(product, "POST", "/tracks/", body(), headers)["upload_id"]
    return upload_id


def _until_live(product: Machine, upload_id: str) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        status = _request(product, "GET", f"/uploads/{upload_id}/status")
        if status["status"] == "completed":
            return
        if status["status"] == "failed":
            raise SystemExit(f"the upload failed: {status['error']}")
        time.sleep(0.1)
    raise SystemExit("the upload did not end within five minutes")


def _clear(folder: Path) -> None:
    """make room on the disk: nothing reads these objects any more."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink(missing_ok=True)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _summary(runs: list[Run]) -> dict[str, Any]:
    tus = [run for run in runs if run.route == "tus"]
    largest = [run for run in tus if run.size_mb == max(SIZES_MB)]
    steady = [run.cpu_ms_per_mb for run in tus if run.size_mb >= SIZES_MB[1]]
    form = [run.cpu_ms_per_mb for run in runs if run.route == "form"]
    sizes = {size: [run for run in tus if run.size_mb == size] for size in SIZES_MB}
    return {
        "bench": "upload",
        "peak_rss_growth_mb": {
            str(size): round(statistics.median(sum(run.growth_mb.values()) for run in found), 1)
            for size, found in sizes.items()
        },
        "peak_rss_growth_by_process_mb": {
            str(size): {name: statistics.median(run.growth_mb[name] for run in found) for name in found[0].growth_mb}
            for size, found in sizes.items()
        },
        "cpu_ms_per_mb": round(statistics.median(steady), 3),
        "cpu_ms_per_mb_form": statistics.median(form) if form else None,
        "seconds_per_gb": statistics.median(run.sent_s_per_gb for run in largest),
        "seconds_per_gb_until_live": statistics.median(run.live_s_per_gb for run in largest),
        "plain_copy_seconds_per_gb": statistics.median(run.copy_s_per_gb for run in largest),
        "runs": [asdict(run) for run in runs],
    }


def _show(runs: list[Run], result: dict[str, Any]) -> None:
    print(f"\n{'route':6}{'MB':>5}{'cpu ms/MB':>11}{'sent s/GB':>11}{'live s/GB':>11}{'copy s/GB':>11}  growth MB")
    for run in runs:
        grown = "  ".join(f"{name} {size}" for name, size in run.growth_mb.items())
        print(
            f"{run.route:6}{run.size_mb:>5}{run.cpu_ms_per_mb:>11.2f}{run.sent_s_per_gb:>11.1f}"
            f"{run.live_s_per_gb:>11.1f}{run.copy_s_per_gb:>11.1f}  {grown}"
        )
    print(f"\npeak growth of all processes together, MB: {result['peak_rss_growth_mb']}")


if __name__ == "__main__":
    main()
