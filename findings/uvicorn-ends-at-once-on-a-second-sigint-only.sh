#!/usr/bin/env bash
# uvicorn 0.54.0: the first SIGTERM or SIGINT waits for the requests in hand. A second SIGINT ends
# the server at once; a second SIGTERM is taken for the first again and changes nothing. Container
# platforms send SIGTERM, never SIGINT, so an impatient second one waits until SIGKILL.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check uvicorn==0.54.0
cat > "$folder/slow.py" <<'PY'
import asyncio

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    await asyncio.sleep(6)
    await send({"type": "http.response.body", "body": b"done"})
PY
cd "$folder" && "$folder/venv/bin/python" - <<'PY'
import signal, socket, subprocess, sys, time
import uvicorn

def seconds_to_end(second):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "uvicorn", "slow:app", "--port", str(port),
                               "--log-level", "critical"])
    while True:
        try:
            client = socket.create_connection(("127.0.0.1", port))
            break
        except OSError:
            time.sleep(.05)
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    client.recv(64)
    server.send_signal(signal.SIGTERM)
    time.sleep(.7)
    start = time.monotonic()
    server.send_signal(second)
    server.wait(20)
    return time.monotonic() - start

print("uvicorn", uvicorn.__version__)
seen = {sign.name: seconds_to_end(sign) for sign in (signal.SIGTERM, signal.SIGINT)}
for name, seconds in seen.items():
    print(f"SIGTERM, then {name}: ends after {seconds:.1f} s of a request that takes 6")
assert seen["SIGTERM"] > 3, "a second SIGTERM ends it at once now"
assert seen["SIGINT"] < 3, "a second SIGINT no longer ends it at once"
PY
