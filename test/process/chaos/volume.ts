/**
 * Where a pod keeps its data: an ext4 file system of its own on a loop device, or a plain directory.
 *
 * Invariant: a power loss is one of the file system itself (EXT4_IOC_SHUTDOWN without a flush of its journal): what was
 * not synced is gone after the next mount. Two notes show it each time: one that was synced must be there, one that was
 * not must be gone.
 *
 * Deliberately absent: the process that uses it, which must be gone before the volume is mounted anew.
 */
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeFileSync, writeSync } from "node:fs";
import { mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./shell.ts";

const IMAGE_BYTES = 8 * 1_048_576;
/** Of the file system's own: a stranger among the data would be refused. */
const BALLAST = "ballast";
const SYNCED = "synced";
const UNSYNCED = "unsynced";
/** _IOR('X', 125, __u32) with EXT4_GOING_FLAGS_NOLOGFLUSH; perl is in every Debian. */
const SHUTDOWN =
  "use Fcntl; sysopen(my $file, $ARGV[0], O_RDONLY) or die $!; " +
  "my $how = pack('L', 2); ioctl($file, 0x8004587d, $how) or die $!";

export class Volume {
  readonly #mountPoint: string;
  /** Null: a plain directory. */
  readonly #device: string | null;
  #note = 0;

  private constructor(mountPoint: string, device: string | null) {
    this.#mountPoint = mountPoint;
    this.#device = device;
  }

  static async plain(directory: string): Promise<Volume> {
    await mkdir(directory, { recursive: true });
    return new Volume(directory, null);
  }

  static async loop(directory: string, image: string): Promise<Volume> {
    await mkdir(directory, { recursive: true });
    await writeFile(image, "");
    await truncate(image, IMAGE_BYTES);
    await run(["mkfs.ext4", "-q", "-J", "size=1", "-m", "0", image]);
    const device = (await run(["losetup", "--find", "--show", image])).trim();
    const volume = new Volume(directory, device);
    await volume.#mount();
    return volume;
  }

  /** The data directory proper. */
  get directory(): string {
    return join(this.#mountPoint, "data");
  }

  get isLoop(): boolean {
    return this.#device !== null;
  }

  /** Cuts the power; the process that uses the volume is to be killed right after it, and then `powerOn` called. */
  async powerOff(): Promise<void> {
    this.#note += 1;
    const synced = openSync(join(this.#mountPoint, SYNCED), "w");
    writeSync(synced, String(this.#note));
    fsyncSync(synced);
    closeSync(synced);
    writeFileSync(join(this.#mountPoint, UNSYNCED), String(this.#note));
    await run(["perl", "-e", SHUTDOWN, this.#mountPoint]);
  }

  /** Resolves to whether the unsynced note is gone. Rejects when the synced one is: then the test-bed is broken. */
  async powerOn(): Promise<boolean> {
    await run(["umount", this.#mountPoint]);
    await this.#mount();
    const kept = await readFile(join(this.#mountPoint, SYNCED), "utf8");
    if (kept !== String(this.#note)) throw new Error(`${this.#mountPoint}: a synced note is gone`);
    const lost = await readFile(join(this.#mountPoint, UNSYNCED), "utf8").catch(() => "");
    return lost !== String(this.#note);
  }

  /** Leaves no block free. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.#mountPoint);
    const path = join(this.#mountPoint, BALLAST);
    writeFileSync(path, Buffer.alloc(Math.max(0, bavail - 16) * bsize));
    const file = openSync(path, "a");
    try {
      for (;;) writeSync(file, Buffer.alloc(bsize));
    } catch {
      // ENOSPC: that is what it is for.
    } finally {
      closeSync(file);
    }
  }

  unfill(): void {
    rmSync(join(this.#mountPoint, BALLAST), { force: true });
  }

  /** What a pod finds that comes back without its volume. */
  async empty(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  async #mount(): Promise<void> {
    if (this.#device !== null) await run(["mount", "-t", "ext4", this.#device, this.#mountPoint]);
  }
}
