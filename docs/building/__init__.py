"""What Sphinx needs beside the pages: drawn pictures, and pages made from the package itself."""
