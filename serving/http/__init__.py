"""HTTP: what may be asked, in which protocols, and how answers and errors leave."""
