import { Authenticator, ThemeProvider } from "@aws-amplify/ui-react";
import "@aws-amplify/ui-react/styles.css";
import "./sign-in.css";

/** Sign in, sign up, confirm, reset the password. Its own chunk: it is larger than the rest. */
export default function SignIn() {
  return (
    <ThemeProvider theme={{ name: "gen3d" }}>
      <Authenticator
        loginMechanisms={["email"]}
        formFields={{
          signIn: { username: { label: "Email", placeholder: "you@example.com" } },
          signUp: { email: { label: "Email", placeholder: "you@example.com" } },
        }}
      />
    </ThemeProvider>
  );
}
