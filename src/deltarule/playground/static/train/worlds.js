// Worlds of two numbers: points of two colors, which a network learns to tell apart; and of one. Touches no page.

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

/** A number of the standard normal distribution. */
export const normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

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

/** What belongs to a world: the columns of its table, a point as a row there, the output, loss and task of a network for it. */
const PLANE = { columns: ["x1", "x2", "blue"], row: (point) => point, answer: ["softmax", "cross_entropy", "classes"] };

/** Of one number x, what it is about: y, with noise; how likely a dog is cute, as of data/built_in.py, whose 1 to 4 cm are -1.2 to 1.2. */
const CURVES = {
    curve: { columns: ["x", "y"], row: ([x, y]) => [x, y], answer: ["identity", "quadratic", "values"], over: (x) => 0.75 * Math.sin(4 * x) },
    "cute-dog": { columns: ["eyes", "cute"], row: ([x, , cute]) => [x, cute], answer: ["sigmoid", "binary_cross_entropy", "labels"], over: (x) => 1 / (1 + Math.exp(-5 * x)) },
};

export const WORLDS = [...Object.keys(PLACES), ...Object.keys(CURVES)];

/** Whether a world has one input: its points are [x, y, class], of which a curve teaches y, and the dogs their class. */
export const hasOneInput = (data) => Object.hasOwn(CURVES, data);

/** A dog as a point: cute ones stand in a row above the curve of probabilities from -1 to 1, the others below it. */
export const dogAt = (x, isCute, up = 0.5) => [x, (isCute ? 1 : -1) * (1.02 + 0.24 * up), Number(isCute)];

export const worldOf = (data) => CURVES[data] ?? PLANE;

/** How a network answers with this loss: its output, its own loss, its task. */
export function answersIn({ data, loss }) {
    const [output, sharp, task] = worldOf(data).answer;
    return loss === "quadratic" && task !== "values" ? { output: "sigmoid", loss, task } : { output, loss: sharp, task };
}

function pointOver(world, random, noise) {
    const x = 2.4 * random() - 1.2;
    const y = CURVES[world].over(x);
    return world === "curve" ? [x, y + noise * normal(random), 1] : dogAt(x, random() < y, random());
}

/** The points of a world: [x1, x2, class] each; points out of reach are drawn again. */
export function pointsOf(world, seed, noise) {
    const random = randomOf(seed);
    if (hasOneInput(world)) {
        return Array.from({ length: COUNT }, () => pointOver(world, random, noise));
    }
    const spread = world === "gaussians" ? noise + 0.25 : noise;
    return Array.from({ length: COUNT }, (_, index) => {
        for (;;) {
            const point = PLACES[world](index % 2 === 1, random(), random()).map((each) => each + spread * normal(random));
            if (point.every((each) => Math.abs(each) <= REACH)) {
                return [...point, index % 2];
            }
        }
    });
}

/** Samples of these points, as a run wants them; `own` ones are all learned, of others every fourth is held out. */
export function samplesOf(points, own = false, world = "points") {
    const isHeld = (index) => !own && Math.floor(index / 2) % HELD_OUT === 0;
    const sorted = [...points.filter((_, index) => !isHeld(index)), ...points.filter((_, index) => isHeld(index))];
    const counts = COLORS.map((_, color) => points.filter((point) => point[2] === color).length);
    if (world === "curve" && new Set(points.map(([, y]) => y)).size < 2) {
        throw new Error(`put at least two points, one higher than the other: got ${points.length}`);
    } else if (world !== "curve" && counts.includes(0)) {
        throw new Error(`put at least one point of each color: got ${counts.map((count, color) => `${count} ${COLORS[color]}`).join(" and ")}`);
    }
    const rows = sorted.map(worldOf(world).row);
    const targets = rows.map((row) => row.at(-1));
    return {
        name: "points", n_outputs: hasOneInput(world) ? 1 : 2, n_train: points.filter((_, index) => !isHeld(index)).length, points: sorted,
        inputs: Float32Array.from(rows.flatMap((row) => row.slice(0, -1))),
        targets: hasOneInput(world) ? Float32Array.from(targets) : BigInt64Array.from(targets, BigInt),
    };
}

/** A point as an address can store it. */
export const snapped = (point) => point.map((each) => Math.round(100 * Math.max(-REACH, Math.min(REACH, each))) / 100);

/** Points as a short text for an address: hundredths and the class. */
export const pointsText = (points) => points.map(([x, y, color]) => [Math.round(100 * x), Math.round(100 * y), color].join(".")).join("_");

/** The points of such a text; none of another one. */
export const pointsIn = (text) => (/^(-?\d{1,3}\.-?\d{1,3}\.[01](_|$))+$/.test(text) ? text.split("_") : [])
    .map((each) => each.split(".").map(Number)).map(([x, y, color]) => snapped([x / 100, y / 100, color]));
