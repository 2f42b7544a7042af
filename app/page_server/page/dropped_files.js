// Files and folders that are dropped on the page, or chosen.

const MOST = 100_000; // a disk that is dropped as a whole must not be walked through to its end

// Files with the folders they lie in: [{ file, name }]
export async function droppedFiles(transfer) {
  const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => (item.webkitGetAsEntry ? item.webkitGetAsEntry() : null));
  if (entries.every((entry) => entry === null)) return chosenFiles(transfer.files);
  const found = [];
  for (const entry of entries) if (entry !== null) await walk(entry, "", found);
  return found;
}

export const chosenFiles = (files) => [...files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));

async function walk(entry, folder, found) {
  if (found.length >= MOST) return;
  if (entry.isFile) {
    const file = await new Promise((done, fail) => entry.file(done, fail));
    found.push({ file, name: folder + file.name });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (some.length === 0) return;
    for (const each of some) await walk(each, `${folder}${entry.name}/`, found);
  }
}

const SOUNDS = /\.(wav|flac|mp3|ogg|oga|opus|m4a|aac|aif|aiff|aifc|au|caf|w64|rf64|wma|mp4|webm)$/i;
export const looksLikeSound = ({ file, name }) => file.type.startsWith("audio/") || SOUNDS.test(name);
