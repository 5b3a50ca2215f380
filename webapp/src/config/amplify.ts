import { Amplify } from "aws-amplify";
import type { AppConfig } from "./config";

/** Tell Amplify where the stack's user pool, identity pool and bucket are. */
export function configureAmplify(config: AppConfig): void {
  const { endpoint } = config;
  Amplify.configure({
    Auth: {
      Cognito: {
        userPoolId: config.userPoolId,
        userPoolClientId: config.userPoolClientId,
        identityPoolId: config.identityPoolId,
        loginWith: { email: true },
        signUpVerificationMethod: "code",
        ...(endpoint && { userPoolEndpoint: endpoint, identityPoolEndpoint: endpoint }),
      },
    },
    Storage: {
      S3: {
        bucket: config.bucket,
        region: config.region,
        // Amplify knows one local address for S3, http://localhost:20005; hence the stack's port.
        ...(endpoint && { dangerouslyConnectToHttpEndpointForTesting: "true" }),
      },
    },
  });
}
