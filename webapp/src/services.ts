import { createContext, useContext } from "react";
import type { ApiClient } from "./api/client";
import type { AppConfig } from "./config/config";

/** What every page may use. */
export interface Services {
  readonly api: ApiClient;
  readonly config: AppConfig;
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (!services) throw new Error("There are no services around this component.");
  return services;
}
