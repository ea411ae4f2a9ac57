"""A device by the rules of Microsoft's device SDK for Python (azure-iot-device
2.x), on the MQTT library that it is made of. It says what device.js beside says,
in the same lines.

The rules: the host name and the device id stand in the user name and in topics as
they are (the hub takes no other spelling: Azure/azure-iot-sdk-python pull request
693), all else is percent-encoded, the dollar of system properties too; a session
is kept; keep-alive is 60 s; every PUBLISH and filter has QoS 1; requests are
numbered by UUIDs.

usage: device.py HOST[:PORT] DEVICE_ID ROOT CERTIFICATE KEY MODEL
"""
import json
import queue
import ssl
import sys
import urllib.parse as url
import uuid

import paho.mqtt.client as mqtt

hub, device, root, cert, key, model = sys.argv[1:]
host, _, port = hub.partition(":")
within = 20


def say(step, detail=None):
    print(step if detail is None else step + " " + json.dumps(detail, separators=(",", ":")), flush=True)


def encoded(text):
    return url.quote(str(text), safe="")


def bag(pairs):
    return url.urlencode(pairs, quote_via=url.quote)


def read_bag(text):
    return {url.unquote(k): url.unquote(v) for k, _, v in (pair.partition("=") for pair in text.split("&"))}


agent = "azure-iot-device-iothub-py/2.14.0(3.11.2;Linux #1 SMP Debian 6.1;x86_64)"
client = mqtt.Client(device, clean_session=False, protocol=mqtt.MQTTv311)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
context.load_verify_locations(root)
context.load_cert_chain(cert, key)
client.tls_set_context(context)
client.username_pw_set("%s/%s/?%s" % (host, device, bag([("api-version", "2020-09-30"), ("DeviceClientType", agent), ("model-id", model)])), None)

base = "devices/" + device
came = {name: queue.Queue() for name in ("connected", "done", "twin", "desired", "method", "message")}


def on_message(_client, _data, m):
    if m.topic.startswith("$iothub/twin/res/"):
        came["twin"].put(m)
    elif m.topic.startswith("$iothub/twin/PATCH/properties/desired"):
        came["desired"].put(m)
    elif m.topic.startswith("$iothub/methods/POST/"):
        came["method"].put(m)
    elif base + "/messages/devicebound" in m.topic:
        came["message"].put(m)
    else:
        sys.exit("a message at " + m.topic)


client.on_message = on_message
client.on_connect = lambda c, d, flags, rc: came["connected"].put(rc)
client.on_publish = client.on_subscribe = lambda c, d, mid, *granted: came["done"].put(mid)


def done(result):
    code, mid = result
    assert code == 0, code
    while came["done"].get(timeout=within) != mid:
        pass


def publish(topic, payload):
    done(client.publish(topic, payload, qos=1))


def subscribe(topic):
    done(client.subscribe(topic, qos=1))


def ask(method, resource, payload):
    rid = str(uuid.uuid4())
    publish("$iothub/twin/%s%s?$rid=%s" % (method, resource, encoded(rid)), payload)
    answer = came["twin"].get(timeout=within)
    parts = answer.topic.split("/")
    properties = read_bag(answer.topic.split("?")[1])
    assert properties["$rid"] == rid, answer.topic
    assert 200 <= int(url.unquote(parts[3])) < 300, answer.topic
    return answer.payload


client.connect(host, int(port or 8883), keepalive=60)
client.loop_start()
code = came["connected"].get(timeout=within)
assert code == 0, code
say("connected")

publish(base + "/messages/events/" + bag([("$.mid", "m/1"), ("$.ct", "application/json"), ("$.ce", "utf-8")]) + "&" + bag([("kind", "a&b")]), '{"seq":1}')
say("sent")

subscribe("$iothub/twin/res/#")
say("twin", json.loads(ask("GET", "/", " "))["desired"])
ask("PATCH", "/properties/reported/", json.dumps({"firmware": {"version": "1.2"}}))
say("reported")
say("listening")

subscribe("$iothub/twin/PATCH/properties/desired/#")
subscribe("$iothub/methods/POST/#")
subscribe(base + "/messages/devicebound/#")
say("desired", json.loads(came["desired"].get(timeout=within).payload))

method = came["method"].get(timeout=within)
name, rid = url.unquote(method.topic.split("/")[3]), read_bag(method.topic.split("?")[1])["$rid"]
assert name == "reboot", name
asked = json.loads(method.payload)
publish("$iothub/methods/res/%s/?$rid=%s" % (encoded(200), encoded(rid)), json.dumps({"asked": asked}, separators=(",", ":")))
say("called", asked)

message = came["message"].get(timeout=within)
properties = read_bag(message.topic.split("/")[4])
say("received", {"id": properties["$.mid"], "text": message.payload.decode(), "color": properties["color"]})
client.disconnect()
client.loop_stop()
say("closed")
