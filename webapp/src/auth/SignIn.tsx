import { Authenticator, ThemeProvider } from "@aws-amplify/ui-react";
import "@aws-amplify/ui-react/styles.css";
import { useServices } from "../services";
import "./sign-in.css";

/** Sign in, sign up, confirm, reset the password. Its own chunk: it is larger than the rest. */
export default function SignIn() {
  const { selfSignUp } = useServices().config;
  return (
    <>
      {!selfSignUp && <p className="muted">An administrator creates accounts.</p>}
      <ThemeProvider theme={{ name: "gen3d" }}>
        <Authenticator
          loginMechanisms={["email"]}
          hideSignUp={!selfSignUp}
          formFields={{
            signIn: { username: { label: "Email", placeholder: "you@example.com" } },
            signUp: { email: { label: "Email", placeholder: "you@example.com" } },
          }}
        />
      </ThemeProvider>
    </>
  );
}
