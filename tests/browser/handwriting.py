"""Ten digits as a person writes them: strokes on a pad of 280 by 280, for the tests that draw."""

import string

Stroke = list[tuple[float, float]]
BASE36 = string.digits + string.ascii_lowercase
WRITTEN = "() => new Promise((done) => setTimeout(done, 450))"  # by the page's clock, whose address is 400 ms behind

DIGITS: dict[int, list[Stroke]] = {
    0: [[(142, 52), (108, 66), (88, 110), (84, 156), (98, 204), (134, 228), (170, 212), (194, 168), (194, 112),
         (176, 68), (142, 52)]],
    1: [[(152, 50), (148, 110), (142, 170), (138, 230)]],
    2: [[(88, 98), (98, 66), (136, 50), (176, 66), (180, 104), (156, 148), (118, 190), (84, 224), (134, 220),
         (202, 222)]],
    3: [[(92, 70), (132, 52), (174, 68), (176, 104), (130, 132), (178, 152), (190, 192), (150, 226), (90, 214)]],
    4: [[(106, 56), (94, 104), (84, 152), (130, 152), (198, 148)], [(170, 62), (166, 142), (160, 228)]],
    5: [[(188, 58), (110, 60), (100, 126), (148, 116), (184, 144), (184, 190), (148, 224), (90, 214)]],
    6: [[(172, 54), (126, 88), (98, 142), (94, 192), (122, 226), (164, 216), (178, 178), (152, 152), (106, 170)]],
    7: [[(84, 66), (138, 62), (200, 60), (174, 116), (146, 174), (130, 230)]],
    8: [[(178, 78), (144, 52), (106, 72), (112, 112), (154, 140), (184, 178), (160, 222), (118, 220), (100, 184),
         (130, 142), (170, 110), (178, 78)]],
    9: [[(184, 86), (148, 58), (108, 78), (104, 118), (138, 138), (178, 112), (184, 86), (178, 150), (164, 228)]],
}  # fmt: skip


def in_address(strokes: list[Stroke]) -> str:
    """Strokes as the page's address writes them: twice a coordinate, moved by 360, in two digits of base 36."""
    numbers = [[round(2 * value) + 360 for point in stroke for value in point] for stroke in strokes]
    return "strokes=" + "-".join("".join(BASE36[n // 36] + BASE36[n % 36] for n in stroke) for stroke in numbers)
