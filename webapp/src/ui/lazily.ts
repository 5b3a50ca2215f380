import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import { loaded } from "./connection";

/**
 * A part of the app that loads when it is first drawn, and waits where there is no connection.
 *
 * @param what Its name, in the language in which it is waited for.
 */
export function lazily<P>(
  what: () => string,
  load: () => Promise<{ default: ComponentType<P> }>,
): LazyExoticComponent<ComponentType<P>> {
  return lazy(() => loaded(what(), load));
}
