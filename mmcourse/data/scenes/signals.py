"""The five signals of a scene, and which fact each of them carries."""

SIGNALS = ("text", "image", "video", "sound", "scan")

# "partly": text says where objects are from each other, not where; sound tells of objects that are struck; a scan sees
# what is not behind something else, its outline on this side, and the part of a velocity that points to the sensor.
CARRIES = {
    "number of objects": {"text": "yes", "image": "yes", "video": "yes", "sound": "no", "scan": "partly"},
    "colour": {"text": "yes", "image": "yes", "video": "yes", "sound": "no", "scan": "no"},
    "shape": {"text": "yes", "image": "yes", "video": "yes", "sound": "no", "scan": "partly"},
    "size": {"text": "yes", "image": "yes", "video": "yes", "sound": "partly", "scan": "partly"},
    "place in the room": {"text": "partly", "image": "yes", "video": "yes", "sound": "no", "scan": "partly"},
    "metres": {"text": "no", "image": "no", "video": "no", "sound": "no", "scan": "yes"},
    "direction of motion": {"text": "yes", "image": "no", "video": "yes", "sound": "no", "scan": "partly"},
    "speed": {"text": "no", "image": "no", "video": "yes", "sound": "no", "scan": "partly"},
    "times of impacts": {"text": "no", "image": "no", "video": "yes", "sound": "yes", "scan": "no"},
    "material": {"text": "no", "image": "no", "video": "no", "sound": "partly", "scan": "no"},
    "name": {"text": "yes", "image": "no", "video": "no", "sound": "no", "scan": "no"},
}
