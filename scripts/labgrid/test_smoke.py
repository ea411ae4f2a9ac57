"""What hilrig's smoke specs judge at a broker, with pytest and labgrid: the peer
of scripts/bench.sh. ROOT, BROKER (HOST:PORT) and DEVICE_ID come from the
environment."""

import os
import queue
import ssl
import subprocess

import paho.mqtt.client as mqtt
import pytest

OK = "COMMAND PROCESSED OK"


@pytest.fixture(scope="session")
def console(target):
    return target.get_driver("ConsoleProtocol")


@pytest.fixture(scope="session")
def identity(tmp_path_factory):
    folder = tmp_path_factory.mktemp("identity")
    certificate, key = folder / "device.pem", folder / "device.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "365", "-sha256",
                    "-subj", "/CN=" + os.environ["DEVICE_ID"], "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="session")
def arrived():
    messages, subscribed = queue.Queue(), queue.Queue()
    host, port = os.environ["BROKER"].split(":")
    client = mqtt.Client()
    client.tls_set(os.environ["ROOT"], tls_version=ssl.PROTOCOL_TLS_CLIENT)
    client.on_message = lambda *a: messages.put(a[-1])
    client.on_subscribe = lambda *a: subscribed.put(a)
    client.connect(host, int(port))
    client.subscribe("devices/%s/messages/events/#" % os.environ["DEVICE_ID"], qos=1)
    client.loop_start()
    subscribed.get(timeout=10)
    yield messages
    client.disconnect()
    client.loop_stop()


def load(console, slot, path):
    console.sendline("9270,%d" % slot)
    console.expect("SEND FILE", timeout=10)
    with open(path) as file:
        console.write(file.read().encode())
    console.write(b"*")
    console.expect(OK, timeout=30)


def test_key_pair(identity):
    certificate, key = identity
    public = [subprocess.run(["openssl"] + of, check=True, capture_output=True).stdout
              for of in (["x509", "-in", certificate, "-noout", "-pubkey"], ["pkey", "-in", key, "-pubout"])]
    assert public[0] == public[1]


def test_root(console, arrived):
    load(console, 10, os.environ["ROOT"])


def test_certificate(console, identity):
    load(console, 20, identity[0])


def test_key(console, identity):
    load(console, 30, identity[1])


def test_first_message(console, arrived):
    while not arrived.empty():
        arrived.get()
    console.sendline("CONNECT")
    message = arrived.get(timeout=30)
    assert message.payload and message.qos < 2 and not message.retain
