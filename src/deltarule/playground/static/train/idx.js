// MNIST's own files, dropped on the page: IDX, zipped or not. Touches no page.

const IMAGES = 2051; // the first four bytes: bytes in 3 dimensions,
const LABELS = 2049; // or in 1
const HELD_OUT = 6; // one image of so many, without test files

/** The content of one file: { kind, count, bytes }. */
async function contentOf(file) {
    let buffer = await file.arrayBuffer();
    if (new DataView(buffer).byteLength > 1 && new DataView(buffer).getUint16(0) === 0x1f8b) { // gzip
        buffer = await new Response(new Blob([buffer]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
    }
    const view = new DataView(buffer);
    const kind = buffer.byteLength < 8 ? 0 : view.getUint32(0);
    if (kind !== IMAGES && kind !== LABELS) {
        const first = [...new Uint8Array(buffer, 0, Math.min(4, buffer.byteLength))].join(" ");
        throw new Error(`${file.name} is not an IDX file: it begins with ${first || "nothing"}, images begin with 0 0 8 3 and labels with 0 0 8 1`);
    }
    const [start, count] = [kind === IMAGES ? 16 : 8, view.getUint32(4)];
    const size = kind === IMAGES ? view.getUint32(8) * view.getUint32(12) : 1;
    if (kind === IMAGES && size !== 784) {
        throw new Error(`${file.name} has images of ${view.getUint32(8)} x ${view.getUint32(12)}: this page reads 28 x 28`);
    }
    if (buffer.byteLength !== start + count * size) {
        throw new Error(`${file.name} is cut off: ${count.toLocaleString("en")} examples take ${(start + count * size).toLocaleString("en")} bytes, got ${buffer.byteLength.toLocaleString("en")}`);
    }
    return { kind, count, bytes: new Uint8Array(buffer, start), isTest: /t10k|test/i.test(file.name) };
}

/** Samples for a run, from images and their labels, and from test images and theirs if there are any. */
export async function samplesIn(files) {
    const contents = await Promise.all(files.map(contentOf));
    const parts = [false, true].map((isTest) => [IMAGES, LABELS].map((kind) => contents.find((each) => each.kind === kind && each.isTest === isTest)));
    const whole = parts.filter(([images, labels]) => images && labels && images.count === labels.count && images.count > 0);
    if (whole.length === 0) {
        throw new Error("drop images and labels together, the same number of both: train-images-idx3-ubyte and train-labels-idx1-ubyte");
    }
    const count = whole.reduce((sum, [images]) => sum + images.count, 0);
    const [inputs, targets] = [new Uint8Array(784 * count), new BigInt64Array(count)];
    whole.reduce((at, [images, labels]) => {
        inputs.set(images.bytes, 784 * at);
        targets.set(BigInt64Array.from(labels.bytes, BigInt), at);
        return at + images.count;
    }, 0);
    const n_train = whole.length > 1 ? whole[0][0].count : count - Math.floor(count / HELD_OUT);
    return { name: "mnist", inputs, targets, n_train, n_outputs: 1 + Number(targets.reduce((most, each) => (each > most ? each : most), 9n)) };
}
