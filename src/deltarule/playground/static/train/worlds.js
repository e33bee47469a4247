// Worlds of two numbers: points of two colors, which a network learns to tell apart. Touches no page.

export const COLORS = ["orange", "blue"]; // the classes 0 and 1
export const REACH = 1.3; // both numbers lie from -REACH to REACH
const COUNT = 400; // points of a world
const HELD_OUT = 4; // one of so many

/** Numbers from 0 to 1, the same for each seed (Mulberry32). */
export function randomOf(seed) {
    let state = seed;
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
}

/** Where a point of a class lies before noise moves it; `u`, `v`: numbers from 0 to 1, drawn for each point. */
const PLACES = {
    moons: (one, u) => {
        const [x, y] = [Math.cos(Math.PI * u), Math.sin(Math.PI * u)];
        return one ? [0.65 * (1 - x) - 0.325, 0.65 * (0.5 - y) - 0.1625] : [0.65 * x - 0.325, 0.65 * y - 0.1625];
    },
    circles: (one, u, v) => {
        const radius = one ? 0.45 * Math.sqrt(v) : 0.75 + 0.25 * v;
        return [radius * Math.cos(2 * Math.PI * u), radius * Math.sin(2 * Math.PI * u)];
    },
    spirals: (one, u) => {
        const [radius, turn] = [0.06 + 1.04 * u, 1.75 * 2 * Math.PI * u + (one ? Math.PI : 0)];
        return [radius * Math.sin(turn), radius * Math.cos(turn)];
    },
    xor: (one, u, v) => [2 * u - 1, Math.abs(2 * v - 1) * Math.sign(u - 0.5) * (one ? -1 : 1)],
    gaussians: (one) => (one ? [0.4, 0.3] : [-0.4, -0.3]),
};

export const WORLDS = Object.keys(PLACES);

/** The points of a world: [x1, x2, class] each; points out of reach are drawn again. */
export function pointsOf(world, seed, noise) {
    const random = randomOf(seed);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const spread = world === "gaussians" ? noise + 0.25 : noise;
    return Array.from({ length: COUNT }, (_, index) => {
        for (;;) {
            const point = PLACES[world](index % 2 === 1, random(), random()).map((each) => each + spread * normal());
            if (point.every((each) => Math.abs(each) <= REACH)) {
                return [...point, index % 2];
            }
        }
    });
}

/** Samples of these points, as a run wants them; `own` ones are all learned, of others every fourth is held out. */
export function samplesOf(points, own = false) {
    const isHeld = (index) => !own && Math.floor(index / 2) % HELD_OUT === 0;
    const sorted = [...points.filter((_, index) => !isHeld(index)), ...points.filter((_, index) => isHeld(index))];
    const counts = COLORS.map((_, color) => points.filter((point) => point[2] === color).length);
    if (counts.includes(0)) {
        throw new Error(`put at least one point of each color: got ${counts.map((count, color) => `${count} ${COLORS[color]}`).join(" and ")}`);
    }
    return {
        name: "points", n_classes: 2, n_train: points.filter((_, index) => !isHeld(index)).length, points: sorted,
        inputs: Float32Array.from(sorted.flatMap(([x, y]) => [x, y])), targets: BigInt64Array.from(sorted, (point) => BigInt(point[2])),
    };
}

/** A point as an address can store it. */
export const snapped = (point) => point.map((each) => Math.round(100 * Math.max(-REACH, Math.min(REACH, each))) / 100);

/** Points as a short text for an address: hundredths and the class. */
export const pointsText = (points) => points.map(([x, y, color]) => [Math.round(100 * x), Math.round(100 * y), color].join(".")).join("_");

/** The points of such a text; none of another one. */
export const pointsIn = (text) => (/^(-?\d{1,3}\.-?\d{1,3}\.[01](_|$))+$/.test(text) ? text.split("_") : [])
    .map((each) => each.split(".").map(Number)).map(([x, y, color]) => snapped([x / 100, y / 100, color]));
