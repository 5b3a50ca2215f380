/** Numbers and times as people read them, in the page's language. Symbols of units are the same in all. */

import { units } from "../texts/en/units";
import { locale } from "../texts/languages";
import { texts } from "../texts/texts";

export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${decimal(seconds, 1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return texts(units).days(Math.floor(hours / 24));
}

/** About how long something still takes, so coarse that it may be right. */
export function timeLeft(seconds: number): string {
  return texts(units).left(coarse(seconds));
}

function coarse(seconds: number): string {
  if (seconds < 10) return `${Math.max(1, Math.ceil(seconds))} s`;
  if (seconds <= 55) return `${5 * Math.ceil(seconds / 5)} s`;
  return `${Math.ceil(seconds / 60)} min`;
}

export function fileSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${Math.round(bytes / 1024)} kB`;
  return `${decimal(bytes / 1024 ** 2, 1)} MB`;
}

export function count(value: number): string {
  return value.toLocaleString(locale());
}

/** A number with so many digits behind the point. */
export function decimal(value: number, digits: number): string {
  return value.toLocaleString(locale(), {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

export function percent(share: number): string {
  return `${decimal(100 * share, 1)} %`;
}

export function metres(length: number): string {
  return length < 1 ? `${decimal(100 * length, 1)} cm` : `${decimal(length, 2)} m`;
}

export function date(iso: string): string {
  const moment = new Date(iso);
  const today = new Date().toDateString() === moment.toDateString();
  return moment.toLocaleString(locale(), {
    ...(!today && { day: "numeric", month: "short" }),
    hour: "2-digit",
    minute: "2-digit",
  });
}
