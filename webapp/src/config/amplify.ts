import { Amplify } from "aws-amplify";
import { PASSWORD } from "../auth/password";
import type { AppConfig } from "./config";

/**
 * Tell Amplify where the stack's user pool is. The identity pool is none of the page's: it has no
 * credentials for AWS, as uploads go by signed forms and downloads by signed links.
 */
export function configureAmplify(config: AppConfig): void {
  const { endpoint } = config;
  Amplify.configure({
    Auth: {
      Cognito: {
        userPoolId: config.userPoolId,
        userPoolClientId: config.userPoolClientId,
        loginWith: { email: true },
        signUpVerificationMethod: "code",
        passwordFormat: PASSWORD,
        ...(endpoint && { userPoolEndpoint: endpoint }),
      },
    },
  });
}
