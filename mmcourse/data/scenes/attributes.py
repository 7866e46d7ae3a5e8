"""What an object of the micro-world can be: the values of each attribute, in the order of their numbers.

The world is a square room seen from above. Places are measured in room widths: x to the right, y up, (0, 0) the lower
left corner, (1, 1) the upper right one; velocities are in room widths a second. How many metres the room is wide is a
property of the scene that only a range scan measures.
"""

# sRGB. With the floor they are told apart by eyes that lack any one kind of cone (tested).
COLOURS = {
    "red": (0.77, 0.17, 0.08),
    "yellow": (0.98, 0.80, 0.07),
    "green": (0.01, 0.72, 0.49),
    "blue": (0.10, 0.39, 0.97),
    "purple": (0.63, 0.38, 0.62),
    "white": (0.98, 0.98, 0.98),
}
FLOOR = (0.10, 0.11, 0.13)
SHAPES = ("circle", "square", "triangle", "diamond")
# The area of an object is pi times the square of this, whatever its shape.
SIZES = {"small": 0.08, "large": 0.12}
MATERIALS = ("wood", "metal", "glass")  # heard and never seen
NAMES = ("Ada", "Bo", "Cleo", "Dot", "Eli", "Fay")  # told and never seen
DIRECTIONS = ("at rest", "left", "right", "up", "down")
RELATIONS = ("left of", "right of", "above", "below")

MOST_OBJECTS = 6
DURATION = 2.0  # seconds that a video and its sound last
ABSENT = -1  # the number of every attribute where a scene has no object
