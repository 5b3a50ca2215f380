/** Gaussians, which Spark sorts and draws: twice as large as all else here, and loaded for a splat. */

import { SparkRenderer, SplatFileType, SplatMesh } from "@sparkjsdev/spark";
import type { Scene, WebGLRenderer } from "three";

export type { SplatMesh };

/**
 * The gaussians of a file, upright.
 *
 * @param packed Whether it is an SPZ, whose up is +Y; a PLY's is +Z.
 */
export async function splatOf(file: ArrayBuffer, packed: boolean): Promise<SplatMesh> {
  const fileType = packed ? SplatFileType.SPZ : SplatFileType.PLY;
  const splat = new SplatMesh({ fileBytes: new Uint8Array(file), fileType });
  if (!packed) splat.rotation.x = -Math.PI / 2;
  await splat.initialized;
  return splat;
}

/** What draws the gaussians of a scene. */
export class Splats {
  private spark: SparkRenderer;

  constructor(
    private readonly renderer: WebGLRenderer,
    private readonly scene: Scene,
    private readonly draw: () => void,
  ) {
    this.spark = this.begin();
  }

  /** Begin anew: what was sorted on the GPU is gone. */
  restore(): void {
    end(this.spark);
    this.spark.removeFromParent();
    this.spark = this.begin();
  }

  dispose(): void {
    end(this.spark);
  }

  private begin(): SparkRenderer {
    // Sorting takes longer than a frame; what is in a new order has to be drawn again.
    const spark = new SparkRenderer({ renderer: this.renderer, onDirty: this.draw });
    this.scene.add(spark);
    return spark;
  }
}

/**
 * Stop Spark's worker. One in the midst of a sort is let finish: its promise would be rejected where
 * nobody catches it, and a sort that still reads from the GPU would start another worker.
 */
function end(spark: SparkRenderer): void {
  spark.sortDirty = false;
  spark.dirty = false;
  if (spark.sorting) spark.onDirty = () => spark.dispose();
  else spark.dispose();
}
