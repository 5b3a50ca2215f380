/** Why a decoder is not there or gives nothing: the page says each by its name. */
export type FailureName =
  | "DecoderFailed"
  | "DecoderStopped"
  | "DecoderUnavailable"
  | "PreparedDamaged"
  | "PreparedElsewhere";

/**
 * A failure under a name and with a sentence in English: the worker, in which most happen, does not know the
 * page's language.
 */
export class DecoderError extends Error {
  constructor(name: FailureName, message: string) {
    super(message);
    this.name = name;
  }
}
